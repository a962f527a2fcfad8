/** The client process of BullMQ. */
import { Queue, QueueEvents } from 'bullmq';
import { serveClient } from '../client/load.js';
import { payload } from '../client/payload.js';
import { LOOPBACK } from '../processes/port.js';
import { givenArgument } from '../processes/serve.js';
import { QUEUE, type BullmqAddress } from './bullmq.calls.js';

const { port } = givenArgument<BullmqAddress>();
const connection = { host: LOOPBACK, port, maxRetriesPerRequest: null };
const queue = new Queue(QUEUE, { connection });
await queue.waitUntilReady();
let events: QueueEvents | undefined;

/** Subscribed only when results are needed, because it costs CPU time that the other scenarios must not pay. */
async function subscribed(): Promise<QueueEvents> {
  if (events === undefined) {
    events = new QueueEvents(QUEUE, { connection });
    await events.waitUntilReady();
  }
  return events;
}

serveClient({
  async submit(jobs) {
    if (jobs === 1) await queue.add('noop', payload);
    else await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'noop', data: payload })));
  },
  async perform() {
    const from = await subscribed();
    const job = await queue.add('noop', payload);
    await job.waitUntilFinished(from);
  },
  async close() {
    await events?.close();
    await queue.close();
  },
});
