/** The results of the demo as text, with one line of JSON at the end. */
import type { Durability } from '../../streams/durability.js';
import { paint, print } from '../terminal.js';
import { COMMAND } from '../self.js';
import type { Submitted } from './submit.js';
import type { Verification } from './verify.js';

export interface Outcome {
  readonly submitted: readonly Submitted[];
  readonly verification: Verification;
  readonly tookMs: number;
  readonly durability: Durability;
}

export interface Summary {
  readonly jobs: number;
  readonly completed: number;
  readonly failed: number;
  /** How many results equal a second computation from disk and are recorded correctly in the journal. */
  readonly verified: number;
  readonly jobsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly durability: Durability;
}

export function summaryOf({ submitted, verification, tookMs, durability }: Outcome): Summary {
  const completed = submitted.filter(({ reply }) => reply.status === 'completed').length;
  const times = submitted.map((each) => each.tookMs).sort((a, b) => a - b);
  return {
    jobs: submitted.length,
    completed,
    failed: submitted.length - completed,
    verified: verification.verified,
    jobsPerSecond: rounded(submitted.length / (tookMs / 1_000)),
    p50Ms: rounded(percentile(times, 0.5)),
    p99Ms: rounded(percentile(times, 0.99)),
    durability,
  };
}

export function printSummary(summary: Summary, { submitted, verification, tookMs }: Outcome): void {
  const { jobs, completed, failed, verified, jobsPerSecond, p50Ms, p99Ms, durability } = summary;
  const line = (name: string, value: string): void => print(`  ${name.padEnd(12)} ${value}`);
  print('');
  const seconds = rounded(tookMs / 1_000);
  line('jobs', `${jobs} in ${seconds} s: ${completed} completed, ${failed} failed, ${jobsPerSecond} per second`);
  line('latency', `${p50Ms} ms median, ${p99Ms} ms p99, from submit to result`);
  line('bytes', `${megabytes(verification.bytesIn)} in, ${megabytes(verification.bytesOut)} out`);
  line('durability', durability === 'fsync' ? 'fsync: every acknowledged commit survives a power cut' : durability);
  const all = paint('green', `all ${jobs}, against the files on disk and the raw journal`);
  line('verified', verified === jobs ? all : paint('red', `${verified} of ${jobs}`));
  for (const complaint of verification.complaints) print(`    ${paint('red', complaint)}`);
  print('');
  const id = submitted[0]?.reply.jobId ?? '<id>';
  print('Try, in another terminal of this folder:');
  for (const command of [`replay ${id}`, `submit square '{"n":12}' --wait`, 'audit verify']) {
    print(`  ${paint('cyan', `${COMMAND} ${command}`)}`);
  }
  print('');
  print(JSON.stringify(summary));
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
const megabytes = (bytes: number): string => `${rounded(bytes / 1_000_000)} MB`;
const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
