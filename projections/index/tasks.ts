/** What takes long: sorting a full table into a run, and merging runs. Done in a thread, or at once in tests. */
import type { Header } from './block.js';
import { BrokenIndex } from './block.js';
import { mergeInto, type MergeInput } from './merge.js';
import { sortedSlots } from './sort.js';
import { writeRun, type OnChange } from './write-run.js';

interface Target {
  readonly path: string;
  readonly run: number;
}

export type Task =
  /** `slots` of a table that changes no more. */
  | (Target & { readonly kind: 'write'; readonly slots: Uint32Array })
  /** Given up when the first number of `cancelled`, in shared memory, is not 0. */
  | (Target & { readonly kind: 'merge'; readonly inputs: readonly MergeInput[]; readonly cancelled: Int32Array });

/** @throws BrokenIndex, {@link Cancelled}, or an error of the file system */
export type Perform = (task: Task) => Promise<Header>;

export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

export function performNow(task: Task, onChange: OnChange = () => {}): Header {
  if (task.kind === 'write') {
    const { path, run, slots } = task;
    return writeRun(path, run, onChange, (writer) => {
      for (const at of sortedSlots(slots)) writer.add(slots, at);
    });
  }
  const { path, run, inputs, cancelled } = task;
  const changed = (): void => {
    if (Atomics.load(cancelled, 0) !== 0) throw new Cancelled('the index was closed');
    onChange();
  };
  return writeRun(path, run, changed, (writer) => mergeInto(writer, inputs));
}

/** An error as it passes from the thread. */
export interface TaskError {
  readonly name: string;
  readonly message: string;
}

export function errorOf({ name, message }: TaskError): Error {
  if (name === 'BrokenIndex') return new BrokenIndex(message);
  return name === 'Cancelled' ? new Cancelled(message) : new Error(message);
}
