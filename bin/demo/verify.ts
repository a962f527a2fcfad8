/** Computes every result again from the files on disk, and compares it with what the journal recorded. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Recorded } from './journal-reader.js';
import { inParallel, QUALITY, type Submitted } from './submit.js';

const compress = promisify(brotliCompress);

export interface Verification {
  readonly verified: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** One line each, the first few. */
  readonly complaints: readonly string[];
}

const COMPLAINTS_SHOWN = 10;

export async function verify(
  submitted: readonly Submitted[], recorded: ReadonlyMap<string, Recorded>, progress: (done: number) => void,
): Promise<Verification> {
  const total = { done: 0, verified: 0, bytesIn: 0, bytesOut: 0 };
  const complaints: string[] = [];
  // Compression runs in threads of its own, so that this fills the cores.
  await inParallel(availableParallelism(), submitted, async (each) => {
    const truth = await compute(each.file.path);
    const complaint = compare(each, truth, recorded.get(each.reply.jobId));
    if (complaint === undefined) total.verified += 1;
    else if (complaints.length < COMPLAINTS_SHOWN) complaints.push(`${each.file.path}: ${complaint}`);
    total.bytesIn += truth.bytes;
    total.bytesOut += truth.compressedBytes;
    progress((total.done += 1));
  });
  return { verified: total.verified, bytesIn: total.bytesIn, bytesOut: total.bytesOut, complaints };
}

interface Truth {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly compressedBytes: number;
}

async function compute(path: string): Promise<Truth> {
  const original = await readFile(path);
  const compressed = await compress(original, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } });
  const sha256 = createHash('sha256').update(original).digest('hex');
  return { path, sha256, bytes: original.length, compressedBytes: compressed.length };
}

function compare({ file, reply }: Submitted, truth: Truth, recorded: Recorded | undefined): string | undefined {
  const { jobId, status } = reply;
  if (recorded === undefined) return `the journal has no job ${jobId || '(none)'}${why(reply.error)}`;
  if (recorded.finals !== 1) return `the journal has ${recorded.finals} final events of job ${jobId}`;
  if (!recorded.completed) return `job ${jobId} ${status}${why(reply.failure)}`;
  if ((recorded.payload as { path?: unknown }).path !== file.path) return `job ${jobId} has another payload`;
  if (!equal(recorded.result, truth)) {
    return `the journal has ${JSON.stringify(recorded.result)}, the disk has ${JSON.stringify(truth)}`;
  }
  return equal(reply.result, truth) ? undefined : `the client received ${JSON.stringify(reply.result)}`;
}

const why = (trouble: { readonly message: string } | undefined): string => (trouble ? `: ${trouble.message}` : '');

function equal(result: unknown, truth: Truth): boolean {
  const given = (typeof result === 'object' && result !== null ? result : {}) as Partial<Truth>;
  const { path, sha256, bytes, compressedBytes } = given;
  return path === truth.path && sha256 === truth.sha256 && bytes === truth.bytes
    && compressedBytes === truth.compressedBytes;
}
