/** BullMQ on a Redis that appends to a file and syncs it every second, or before each reply. */
import { createRequire } from 'node:module';
import type { ClientCalls } from '../client/calls.js';
import type { Completion, Contender, Deadline, Running, Settings, Setup, Workers } from '../contender.js';
import { Forked } from '../processes/forked.js';
import { until } from '../processes/until.js';
import { COMPLETED, type BullmqAddress, type BullmqWorkerOptions } from './bullmq.calls.js';
import { findRedis, startRedis, type RedisServer, type Sync } from './redis.js';
import { forkWorkers, workersOf, type WorkerCalls } from './workers.js';

/** As its documentation recommends, and with the durability that Reprise has at its own default. */
export const bullmq = bullmqThat('bullmq', 'everysec');
export const bullmqAlways = bullmqThat('bullmq-always', 'always');

function bullmqThat(name: string, sync: Sync): Contender {
  return {
    name,
    missing: async () => ((await findRedis()) ? undefined : 'BullMQ needs redis-server: apt-get install redis-server'),
    start: async (setup) => new RunningBullmq(await startRedis(setup.scope, sync), setup),
  };
}

const KEPT: Readonly<Record<string, string>> = {
  everysec: 'up to a second of acknowledged jobs may be lost',
  always: 'fsync before every reply',
};

/** A ZCARD takes Redis a few microseconds. */
const POLL_MS = 20;

class RunningBullmq implements Running {
  readonly servers: Readonly<Record<string, number>>;
  private before = 0;

  constructor(
    private readonly redis: RedisServer,
    private readonly setup: Setup,
  ) {
    this.servers = { server: redis.pid };
  }

  async describe(): Promise<Settings> {
    const { version } = createRequire(import.meta.url)('bullmq/package.json') as { version: string };
    const info = await this.redis.connection.info('server');
    const file = `append-only file ${await this.configured('appendonly')}`;
    const sync = await this.configured('appendfsync');
    return {
      version: `BullMQ ${version}, redis-server ${/redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown'}`,
      durability: `${file}, appendfsync ${sync}: ${KEPT[sync] ?? 'unknown'}`,
      tuning: ['addBulk (add at bulk 1)', 'completed jobs are kept, its default', 'no snapshots'],
      completion: 'its completed set: polled by ZCARD every 20 ms, first and last moment from the scores',
      result: 'job.waitUntilFinished with QueueEvents',
    };
  }

  startClient(): Promise<Forked<ClientCalls>> {
    const address: BullmqAddress = { port: this.redis.port };
    return Forked.start<ClientCalls>(new URL('bullmq.client.js', import.meta.url), address, this.setup.scope);
  }

  async startWorkers(): Promise<Workers> {
    const options: BullmqWorkerOptions = { port: this.redis.port, concurrency: this.setup.concurrency };
    const module = new URL('bullmq.worker.js', import.meta.url);
    return workersOf(await forkWorkers<WorkerCalls>(module, options, this.setup));
  }

  async mark(): Promise<void> {
    this.before = await this.redis.connection.zcard(COMPLETED);
  }

  async settle(jobs: number, check: Deadline): Promise<void> {
    await until(async () => ((await this.completed()) >= jobs ? true : undefined), check, POLL_MS);
  }

  async completion(jobs: number): Promise<Completion | undefined> {
    const completed = await this.completed();
    if (completed < jobs) return undefined;
    if (completed > jobs) throw new Error(`BullMQ completed ${completed} jobs of ${jobs}.`);
    const [firstMs, lastMs] = await Promise.all([this.score(this.before), this.score(-1)]);
    return { firstMs, lastMs, atFirst: await this.redis.connection.zcount(COMPLETED, firstMs, firstMs) };
  }

  private async completed(): Promise<number> {
    return (await this.redis.connection.zcard(COMPLETED)) - this.before;
  }

  /** When the job at this place was finished, in Unix milliseconds. */
  private async score(index: number): Promise<number> {
    return Number((await this.redis.connection.zrange(COMPLETED, `${index}`, `${index}`, 'WITHSCORES'))[1]);
  }

  private async configured(name: string): Promise<string> {
    const [, value] = (await this.redis.connection.config('GET', name)) as string[];
    return value ?? 'unknown';
  }
}
