/** Which performers `dev` serves: those that were named, else ./performers once a file of them is there, else the examples. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { isPerformerFile } from '../../worker/load.js';
import { RepriseError } from '../../protocols/errors.js';
import { EXAMPLES_FOLDER } from '../self.js';

const OWN_FOLDER = './performers';

export interface PerformerFolders {
  /** What is to be served as things are now. @throws RepriseError USAGE */
  current(): string;
  /** Where a change may matter. */
  readonly watched: readonly string[];
}

export function performerFolders(given: string | undefined): PerformerFolders {
  if (given === undefined) {
    const own = resolve(OWN_FOLDER);
    return { current: () => (hasPerformers(own) ? own : EXAMPLES_FOLDER), watched: [own, EXAMPLES_FOLDER] };
  }
  const folder = resolve(given);
  return { current: () => existing(folder), watched: [folder] };
}

function existing(folder: string): string {
  if (existsSync(folder)) return folder;
  throw new RepriseError('USAGE', `There is no ${folder}.`, { hint: 'Give the folder of your performers with --performers.' });
}

/** An empty folder is one that somebody is about to fill. */
function hasPerformers(folder: string): boolean {
  try {
    return readdirSync(folder).some(isPerformerFile);
  } catch {
    return false;
  }
}
