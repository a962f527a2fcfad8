/** What a partition alone would list of its workers. */
import { mergedPage, type Page } from '../../actors/worker/page.js';
import type { View } from '../../actors/worker/view.js';
import type { Play } from '../play.js';

function viewsIn(play: Play): readonly View[] {
  const { answer } = play.ask<'worker.list'>({ kind: 'worker.list', after: '', limit: 1_000 });
  if (answer?.kind !== 'other') throw new Error('the list was refused');
  return mergedPage([answer.answer as Page], 1_000).workers;
}

export const viewIn = (play: Play, id: string): View | undefined =>
  viewsIn(play).find(({ workerId }) => workerId === id);

export const statusesIn = (play: Play): Record<string, unknown> =>
  Object.fromEntries(viewsIn(play).map(({ workerId, status }) => [workerId ?? '', status]));
