/** Worker processes of a peer, each a child of the harness. */
import type { Setup, Workers } from '../contender.js';
import { Forked, type Calls } from '../processes/forked.js';

export type WorkerCalls = Calls & {
  resume(nothing: undefined): Promise<void>;
};

export function forkWorkers<C extends WorkerCalls>(module: URL, options: unknown, setup: Setup): Promise<Forked<C>[]> {
  return Promise.all(Array.from({ length: setup.workers }, () => Forked.start<C>(module, options, setup.scope)));
}

export const workersOf = (children: readonly Forked<WorkerCalls>[]): Workers => ({
  pids: children.map(({ pid }) => pid),
  resume: async () => void (await Promise.all(children.map((child) => child.call('resume', undefined)))),
  stop: async () => void (await Promise.all(children.map((child) => child.end()))),
});
