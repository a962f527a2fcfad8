/** graphile-worker on a PostgreSQL with its default durability. */
import { runMigrations } from 'graphile-worker';
import { createRequire } from 'node:module';
import type { ClientCalls } from '../client/calls.js';
import type { Completion, Contender, Deadline, Running, Settings, Setup, Workers } from '../contender.js';
import { Forked } from '../processes/forked.js';
import { until } from '../processes/until.js';
import { PERFORMANCE, POOL, silent, type GraphileAddress, type GraphileWorkerCalls, type GraphileWorkerOptions, type Performed } from './graphile.calls.js';
import { findPostgres, startPostgres, type PostgresServer } from './postgres.js';

export const graphile: Contender = {
  name: 'graphile-worker',
  missing: async () => ((await findPostgres()) ? undefined : 'graphile-worker needs PostgreSQL: apt-get install postgresql'),
  start: async (setup) => {
    const postgres = await startPostgres(setup.scope);
    await runMigrations({ preset: { worker: { connectionString: postgres.url, logger: silent } } });
    return new RunningGraphile(postgres, setup);
  },
};

const PERFORMED_MS = 10;
const EMPTY_MS = 5;
const VACUUM = 'vacuum graphile_worker._private_jobs';
const OPEN = 'select exists (select from graphile_worker._private_jobs) as open';

class RunningGraphile implements Running {
  readonly servers: Readonly<Record<string, number>>;
  readonly #postgres: PostgresServer;
  readonly #setup: Setup;
  #workers: Forked<GraphileWorkerCalls>[] = [];
  #before = 0;
  #emptyMs = 0;

  constructor(postgres: PostgresServer, setup: Setup) {
    this.#postgres = postgres;
    this.#setup = setup;
    this.servers = { server: postgres.pid };
  }

  async describe(): Promise<Settings> {
    const { version } = createRequire(import.meta.url)('graphile-worker/package.json') as { version: string };
    const { localQueue, completeJobBatchDelay, failJobBatchDelay } = PERFORMANCE;
    return {
      version: `graphile-worker ${version}, PostgreSQL ${await this.#show('server_version')}`,
      durability: `PostgreSQL's default: fsync ${await this.#show('fsync')}, synchronous_commit ${await this.#show('synchronous_commit')}`,
      tuning: [
        'addJobs (addJob at bulk 1)',
        `preset: localQueue.size ${localQueue.size}, completeJobBatchDelay ${completeJobBatchDelay}, failJobBatchDelay ${failJobBatchDelay}, maxPoolSize ${POOL}`,
        'vacuum before every measurement',
        `shared_buffers ${await this.#show('shared_buffers')}, as PostgreSQL comes`,
      ],
      completion: 'handlers count; once all have run, the table of open jobs is polled every 5 ms until it is empty; the first moment is the first handler\'s',
      result: 'a trigger on the deletion of the completed row, NOTIFY to the client; the trigger is there in this scenario alone',
    };
  }

  startClient(): Promise<Forked<ClientCalls>> {
    const address: GraphileAddress = { url: this.#postgres.url };
    return Forked.start<ClientCalls>(new URL('graphile.client.js', import.meta.url), address, this.#setup.scope);
  }

  async startWorkers(): Promise<Workers> {
    const { workers, concurrency, scope } = this.#setup;
    const options: GraphileWorkerOptions = { url: this.#postgres.url, concurrency };
    const start = (): Promise<Forked<GraphileWorkerCalls>> => Forked.start<GraphileWorkerCalls>(new URL('graphile.worker.js', import.meta.url), options, scope);
    const children = await Promise.all(Array.from({ length: workers }, start));
    this.#workers = children;
    return {
      pids: children.map(({ pid }) => pid),
      resume: async () => void (await Promise.all(children.map((child) => child.call('resume', undefined)))),
      stop: async () => void (await Promise.all(children.map((child) => child.end()))),
    };
  }

  /** Rows of the jobs before are cleared away, as autovacuum would within its minute; among them it finds jobs slowly. */
  async mark(): Promise<void> {
    await this.#postgres.connection.query(VACUUM);
    this.#before = (await this.#performed()).jobs;
  }

  async settle(jobs: number, check: Deadline): Promise<void> {
    // Looking for rows disturbs while there are many dead ones, so the handlers tell when it is worth while.
    await until(async () => ((await this.#performed()).jobs - this.#before >= jobs ? true : undefined), check, PERFORMED_MS);
    await until(async () => ((await this.#isEmpty()) ? true : undefined), check, EMPTY_MS);
    this.#emptyMs = performance.timeOrigin + performance.now();
  }

  async completion(jobs: number): Promise<Completion | undefined> {
    if (!(await this.#isEmpty())) return undefined;
    const performed = await this.#performed();
    if (performed.jobs - this.#before !== jobs) throw new Error(`graphile-worker performed ${performed.jobs - this.#before} jobs of ${jobs}.`);
    return { firstMs: performed.firstMs, lastMs: this.#emptyMs, atFirst: 0 };
  }

  async #performed(): Promise<Performed> {
    const all = await Promise.all(this.#workers.map((worker) => worker.call('performed', undefined)));
    const started = all.map(({ firstMs }) => firstMs).filter((firstMs) => firstMs > 0);
    return { jobs: all.reduce((sum, { jobs }) => sum + jobs, 0), firstMs: Math.min(...started) };
  }

  async #isEmpty(): Promise<boolean> {
    const { rows } = await this.#postgres.connection.query<{ open: boolean }>(OPEN);
    return rows[0]?.open === false;
  }

  async #show(setting: string): Promise<string> {
    const { rows } = await this.#postgres.connection.query<Record<string, string>>(`show ${setting}`);
    return rows[0]?.[setting] ?? 'unknown';
  }
}
