/** Worker processes of Reprise: the installed command with a performer file. */
import { readlink, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Setup, Workers } from '../contender.js';
import { descendantsOf } from '../processes/cpu.js';
import { startHeld, type HeldProcess } from '../processes/held.js';
import { deadline, until } from '../processes/until.js';
import type { Tally } from './tally.js';

/** The command of this package, whether this runs from source or from dist/. */
export const COMMAND = createRequire(import.meta.url)
  .resolve('reprise/package.json')
  .replace(/package\.json$/, 'bin/reprise');

export interface RepriseSetup extends Setup {
  readonly folder: string;
}

const START_WITHIN_MS = 20_000;
const PERFORMER = fileURLToPath(new URL('noop.mjs', import.meta.url));

export async function startRepriseWorkers(url: string, tally: Tally, setup: RepriseSetup): Promise<Workers> {
  const { workers, concurrency, folder, scope } = setup;
  await tally.mark();
  const flags = ['--concurrency', String(concurrency), '--nats', url];
  const command = [process.execPath, COMMAND, 'worker', PERFORMER, ...flags];
  const start = (n: number): Promise<HeldProcess> => startHeld({ name: `worker-${n}`, command, folder, scope });
  const started = await Promise.all(Array.from({ length: workers }, (_, n) => start(n)));
  await untilRegistered(tally, started);
  // A registered worker takes jobs at once, so its process is suspended until resume().
  const all = (await Promise.all(started.map(({ pid }) => workersUnder(pid)))).flat();
  if (all.length !== workers) {
    throw new Error(`Found ${all.length} of ${workers} worker processes: the benchmark needs /proc, so Linux.`);
  }
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  const resume = async (): Promise<void> => all.forEach((pid) => process.kill(pid, 'SIGCONT'));
  return {
    pids: started.map(({ pid }) => pid),
    resume,
    stop: async () => void (await Promise.all(started.map((worker) => worker.end()))),
  };
}

/** Not the shells that start them: these must keep running, to notice when this process ends. */
async function workersUnder(shell: number): Promise<number[]> {
  const node = await realpath(process.execPath);
  const under = await descendantsOf(shell);
  const programs = await Promise.all(under.map((pid) => readlink(`/proc/${pid}/exe`).catch(() => '')));
  return under.filter((_, n) => programs[n] === node);
}

function untilRegistered(tally: Tally, workers: readonly HeldProcess[]): Promise<true> {
  return until(async () => {
    await Promise.all(workers.map((worker) => worker.assertAlive()));
    return (await tally.registered()) >= workers.length ? true : undefined;
  }, deadline('the workers register', START_WITHIN_MS), 100);
}
