/** Submits the work, a bounded number of jobs at a time, and collects the results. */
import type { Client, JobReply } from '../../sdk/client.js';
import type { WorkFile } from './files.js';

export interface Submitted {
  readonly file: WorkFile;
  readonly reply: JobReply;
  /** From the submit to its result, in milliseconds. */
  readonly tookMs: number;
}

export const QUALITY = 11;
const OUTSTANDING = 16;
const WAIT_MS = 10 * 60_000;

export async function submitAll(
  client: Client,
  files: readonly WorkFile[],
  progress: (done: number) => void,
): Promise<Submitted[]> {
  const submitted: Submitted[] = [];
  await inParallel(OUTSTANDING, files, async (file) => {
    const started = performance.now();
    const job = { type: 'compress', payload: { path: file.path, quality: QUALITY } };
    const [reply] = await client.submit([job], { wait: true, waitMs: WAIT_MS });
    submitted.push({ file, reply: reply!, tookMs: performance.now() - started });
    progress(submitted.length);
  });
  return submitted;
}

export async function inParallel<T>(
  width: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
