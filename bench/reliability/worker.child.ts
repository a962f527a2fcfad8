/** A worker whose performer does nothing but count. */
import pino from 'pino';
import { performer } from '../../sdk/index.js';
import { startWorker } from '../../worker/start.js';
import { givenArgument, serve } from '../processes/serve.js';
import { NAMESPACE } from '../reprise/reprise.calls.js';
import { PERFORMED, type WorkerCalls } from './calls.js';

let handled = 0;
const counting = performer(PERFORMED, async () => void (handled += 1));
const { url, concurrency } = givenArgument<{ readonly url: string; readonly concurrency: number }>();
const log = pino({ level: 'silent' });
const worker = await startWorker({ url, namespace: NAMESPACE, performers: [counting], concurrency, log });

serve<WorkerCalls>({ handled: async () => handled }, () => worker.stop());
