/** Milliseconds from submit to result at low load: one job at a time. */
import { percentile } from '../output/statistics.js';
import type { Latency } from '../results.js';
import type { Stage } from './scenario.js';

/** Code that runs for the first time is slow, which is not what is measured. */
const WARM_UP = 200;

export async function latency({ client }: Stage, samples: number): Promise<Latency> {
  await client.call('latencies', WARM_UP);
  const measured = await client.call('latencies', samples);
  const [p50Ms, p99Ms, p999Ms] = [percentile(measured, 0.5), percentile(measured, 0.99), percentile(measured, 0.999)];
  return { p50Ms, p99Ms, p999Ms };
}
