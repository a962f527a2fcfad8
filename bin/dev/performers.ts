/** Determines the performers of `dev`: the given folder, else ./performers if it has any, else the examples. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { isPerformerFile } from '../../worker/load.js';
import { RepriseError } from '../../protocols/errors.js';
import { EXAMPLES_FOLDER } from '../self.js';

const OWN_FOLDER = './performers';

export interface PerformerFolders {
  /** The folder to serve now. @throws RepriseError USAGE if the given one does not exist */
  current(): string;
  /** The folders whose changes may matter. */
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
  const hint = 'Give the folder of your performers with --performers.';
  throw new RepriseError('USAGE', `The folder ${folder} does not exist.`, { hint });
}

/** An empty folder is not served: the user is about to fill it. */
function hasPerformers(folder: string): boolean {
  try {
    return readdirSync(folder).some(isPerformerFile);
  } catch {
    return false;
  }
}
