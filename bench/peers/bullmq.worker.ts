/** A worker process of BullMQ: a no-op, as cheap as it gets. */
import { Worker } from 'bullmq';
import { LOOPBACK } from '../processes/port.js';
import { givenArgument, serve } from '../processes/serve.js';
import { QUEUE, type BullmqWorkerCalls, type BullmqWorkerOptions } from './bullmq.calls.js';

const { port, concurrency } = givenArgument<BullmqWorkerOptions>();
const connection = { host: LOOPBACK, port, maxRetriesPerRequest: null };
const worker = new Worker(QUEUE, async () => undefined, { connection, concurrency, autorun: false });
worker.on('error', (error) => void process.stderr.write(`BullMQ worker: ${error.message}\n`));
await worker.waitUntilReady();

serve<BullmqWorkerCalls>({ resume: async () => void worker.run() }, () => worker.close());
