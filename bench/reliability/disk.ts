/** `disk`: what small jobs leave on disk, with snapshots, archive and truncation as they are by default. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { NAMESPACE } from '../reprise/reprise.calls.js';
import { COMMAND } from '../reprise/workers.js';
import { feedAll, mb, performedJobs, type Figure } from './figure.js';
import { Stage } from './stage.js';

/** Truncation looks every 15 seconds; the archiver, every five. */
const SETTLE_MS = 20_000;

interface Listed {
  readonly journals: readonly { readonly jobs: number; readonly bytes: number; readonly segments: number }[];
}

/** By the command for people. The bytes are of facts, contents and indexes, without the manifests. */
async function archived(location: string): Promise<Listed['journals'][number]> {
  const flags = ['archive', 'ls', '--archive', location, '--namespace', NAMESPACE, '--jobs', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...flags]);
  const { journals: [first] } = JSON.parse(stdout) as Listed;
  return first ?? { jobs: 0, bytes: 0, segments: 0 };
}

export const disk: Figure = ({ jobs = 1_000_000, inScope, log }) => inScope(async (scope) => {
  const stage = await Stage.open(scope);
  const broker = await stage.startBroker();
  const feeder = await stage.startFeeder();
  await stage.startWorker();
  const { tookMs } = await feedAll(feeder, { ...performedJobs({}), jobs }, log);
  await sleep(SETTLE_MS);
  const { journal, snapshots, archive, index } = await stage.sizes();
  const firstSeq = await stage.firstSeq();
  await broker.end();
  const listed = await archived(stage.archiveDir);
  const each = (bytes: number, of: number): string => (of === 0 ? 'nothing yet' : `${(bytes / of).toFixed(1)} bytes`);
  return {
    ok: true,
    data: { jobs, tookMs, journal, firstSeq, snapshots, archive, archived: listed, index },
    lines: [
      `journal after ${jobs} jobs: ${mb(journal.bytes)} on disk in ${journal.files} files, beginning at ${firstSeq}`,
      `archive: ${mb(archive.bytes)} on disk in ${archive.files} files, ${listed.segments} segments, ` +
        `${listed.jobs} jobs; a job ${each(archive.bytes, listed.jobs)} on disk, ` +
        `${each(listed.bytes, listed.jobs)} without manifests and the file system's blocks`,
      `index of ended jobs: ${mb(index.bytes)} in ${index.files} files, ${each(index.bytes, jobs)} a job`,
      `snapshots: ${mb(snapshots.bytes)} in ${snapshots.files} files`,
    ],
  };
});
