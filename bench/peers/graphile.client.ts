/** The client process of graphile-worker. */
import { makeWorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { serveClient } from '../client/load.js';
import { payload } from '../client/payload.js';
import { givenArgument } from '../processes/serve.js';
import { FINISHED, POOL, silent, TASK, type GraphileAddress } from './graphile.calls.js';

const { url } = givenArgument<GraphileAddress>();
const worker = { connectionString: url, maxPoolSize: POOL, logger: silent };
const utils = await makeWorkerUtils({ preset: { worker } });
const listener = new pg.Client({ connectionString: url });
/** A notification may arrive before the reply that names the job's id. */
const finished = new Set<string>();
let wake: (() => void) | undefined;
let isListening = false;

/** A completed job is deleted, so the deletion is the event; NOTIFY is delivered when it is committed. */
const NOTIFY_FINISHED = `
  create function bench_finished() returns trigger language plpgsql as
    $$ begin perform pg_notify('${FINISHED}', old.id::text); return null; end $$;
  create trigger bench_finished after delete on graphile_worker._private_jobs
    for each row execute function bench_finished()`;

async function listen(): Promise<void> {
  isListening = true;
  await listener.connect();
  listener.on('notification', ({ payload: id }) => {
    finished.add(id ?? '');
    wake?.();
  });
  await listener.query(NOTIFY_FINISHED);
  await listener.query(`listen ${FINISHED}`);
}

async function untilFinished(id: string): Promise<void> {
  while (!finished.delete(id)) await new Promise<void>((resolve) => (wake = resolve));
}

serveClient({
  async submit(jobs) {
    if (jobs === 1) await utils.addJob(TASK, payload);
    else await utils.addJobs(Array.from({ length: jobs }, () => ({ identifier: TASK, payload })));
  },
  async perform() {
    if (!isListening) await listen();
    const job = await utils.addJob(TASK, payload);
    await untilFinished(String(job.id));
  },
  async close() {
    if (isListening) await listener.end();
    await utils.release();
  },
});
