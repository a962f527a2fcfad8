/** The load loop of a client process, the same for every contender. */
import { serve } from '../processes/serve.js';
import type { Client, ClientCalls, Load, Submitted } from './calls.js';

/** Turns this process into a client process. */
export function serveClient(client: Client): void {
  serve<ClientCalls>(
    { submit: (load) => submit(client, load), latencies: (samples) => latencies(client, samples) },
    () => client.close(),
  );
}

const nowMs = (): number => performance.timeOrigin + performance.now();

async function submit(client: Client, { jobs, bulk, outstanding }: Load): Promise<Submitted> {
  const startedMs = nowMs();
  let left = jobs;
  const submitter = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(bulk, left);
      left -= size;
      await client.submit(size);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, submitter));
  return { startedMs, endedMs: nowMs() };
}

async function latencies(client: Client, samples: number): Promise<number[]> {
  const measured: number[] = [];
  for (let i = 0; i < samples; i += 1) {
    const start = performance.now();
    await client.perform();
    measured.push(performance.now() - start);
  }
  return measured;
}
