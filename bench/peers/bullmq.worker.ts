/** A worker process of BullMQ with a no-op, as cheap as possible. */
import { Worker } from 'bullmq';
import { LOOPBACK } from '../processes/port.js';
import { givenArgument, serve } from '../processes/serve.js';
import { QUEUE, type BullmqWorkerOptions } from './bullmq.calls.js';
import type { WorkerCalls } from './workers.js';

const { port, concurrency } = givenArgument<BullmqWorkerOptions>();
const connection = { host: LOOPBACK, port, maxRetriesPerRequest: null };
const worker = new Worker(QUEUE, async () => undefined, { connection, concurrency, autorun: false });
worker.on('error', (error) => void process.stderr.write(`BullMQ worker: ${error.message}\n`));
await worker.waitUntilReady();

serve<WorkerCalls>({ resume: async () => void worker.run() }, () => worker.close());
