/** The client process of graphile-worker. */
import { makeWorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { serveClient } from '../client/load.js';
import { payload } from '../client/payload.js';
import { givenArgument } from '../processes/serve.js';
import { FINISHED, POOL, silent, TASK, type GraphileAddress } from './graphile.calls.js';

const { url } = givenArgument<GraphileAddress>();
const utils = await makeWorkerUtils({ preset: { worker: { connectionString: url, maxPoolSize: POOL, logger: silent } } });
const listener = new pg.Client({ connectionString: url });
/** A notification may be here before the answer that tells which job it is about. */
const finished = new Set<string>();
let wake: (() => void) | undefined;
let listens = false;

/** A completed job is a deleted row, so the deletion tells; NOTIFY speaks only once it is committed. */
const TELL_FINISHED = `
  create function bench_finished() returns trigger language plpgsql as
    $$ begin perform pg_notify('${FINISHED}', old.id::text); return null; end $$;
  create trigger bench_finished after delete on graphile_worker._private_jobs
    for each row execute function bench_finished()`;

async function listen(): Promise<void> {
  listens = true;
  await listener.connect();
  listener.on('notification', ({ payload: id }) => {
    finished.add(id ?? '');
    wake?.();
  });
  await listener.query(TELL_FINISHED);
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
    if (!listens) await listen();
    const job = await utils.addJob(TASK, payload);
    await untilFinished(String(job.id));
  },
  async close() {
    if (listens) await listener.end();
    await utils.release();
  },
});
