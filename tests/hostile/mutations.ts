/** Requests as hostile or broken clients send them: random bytes, and valid requests with seeded random changes. */
import { random } from '../broker.js';
import type { Body, Me, Stranger } from '../stranger.js';

export const UNREGISTERED = { workerId: 'nobody', session: 'none', proof: '' };
export const UNKNOWN = '0-0000000000000000';
/** Not a valid job type, even after a few flipped bits. */
const BAD = '/ / / / / / / /';
const PAYLOAD = Buffer.from('{"n":1}');
const NAMED = { key: 'k', commandId: 'c' };
const BACKOFF = { initialMs: 5, factor: 2, maxMs: 9, jitter: 0.5 };
const RETRIES = { maxAttempts: 2, maxCrashes: 2, backoff: BACKOFF };
const TIMEOUTS = { attemptMs: 5, startMs: 5, totalMs: 5, heartbeatMs: 500 };
const TOKEN = `${UNKNOWN}/1/1`;
const OK = { token: TOKEN, outcome: 'ok', result: Buffer.from('1') };
const RETRY = { token: TOKEN, outcome: 'retry', failure: { code: 'X', message: 'm', stack: 's' }, retryAfterMs: 5 };
const PROGRESS = { token: TOKEN, fraction: 0.5, message: 'half' };

/** Well-formed requests that change nothing: for jobs and workers that do not exist, or refused for one field. */
export const seedsOf = (me: Body): Readonly<Record<string, readonly Body[]>> => ({
  'job.submit': [
    { jobs: [{ type: BAD, queue: 'q', payload: PAYLOAD, priority: 1, delayMs: 5, ...NAMED, labels: { a: 'b' } }] },
    { jobs: [{ type: BAD, retry: RETRIES, timeouts: TIMEOUTS }], wait: true, waitMs: 100 },
    { jobs: [{ type: BAD, requireJson: '{"models":["a"],"not":{"region":"eu"}}', preferJson: '{"region":"us"}' }] },
    { jobs: [{ type: BAD, retry: { preset: 'FAST', backoff: { listMs: [5, 9], jitter: 0.5 } } }] },
  ],
  'job.get': [{ jobId: UNKNOWN }, { queue: 'default', key: 'nothing' }],
  'job.why': [{ jobId: UNKNOWN }, { queue: 'default', key: 'nothing' }],
  'job.await': [{ jobId: UNKNOWN, waitMs: 10 }, { queue: 'default', key: 'nothing', waitMs: 10 }],
  'job.cancel': [{ jobId: UNKNOWN, reason: 'r', commandId: 'c' }, { queue: 'default', key: 'nothing' }],
  'job.list': [{ filter: 'type:a status:failed after:2h', after: '0:7', limit: 7 }],
  'job.retry': [
    { jobId: UNKNOWN, commandId: 'c', payload: PAYLOAD, contentType: 'a/b' }, { queue: 'default', key: 'n' },
  ],
  'job.reprioritize': [{ jobId: UNKNOWN, priority: 5, commandId: 'c' }],
  'job.discard': [{ jobId: UNKNOWN, reason: 'r', commandId: 'c' }],
  'bulk.start': [{ bulkId: 'b', action: BAD, filter: 'type:a', priority: 5, perSecond: 7, reason: 'r', hold: true }],
  'bulk.go': [{ bulkId: 'b' }],
  'bulk.stop': [{ bulkId: 'b' }],
  'bulk.show': [{ bulkId: 'b' }],
  'worker.register': [{
    ...me, types: [BAD], queues: ['q'], capacity: 5, software: 'x', capabilitiesJson: '{"models":["a"]}',
    weights: { q: 2 },
  }],
  'worker.pull': [{ ...me, partition: 0, pullSeq: 1, free: 5, expiresMs: 100, held: [TOKEN], reports: [OK] }],
  'worker.report': [{ ...me, partition: 0, reports: [RETRY] }],
  'worker.heartbeat': [{ ...me, partition: 0, tokens: [TOKEN], progress: [PROGRESS] }],
  'worker.drain': [{ ...me, gone: true }, { ...me, gone: false }],
  'worker.list': [{ after: 'mutated', limit: 7 }],
  'worker.get': [{ workerId: 'nobody' }],
  'worker.cordon': [{ workerId: BAD, reason: 'r', commandId: 'c' }],
  'worker.uncordon': [{ workerId: 'nobody', reason: 'r', commandId: 'c' }],
  'worker.retire': [{ workerId: 'nobody', reason: 'r', commandId: 'c' }],
  'queue.pause': [{ queue: BAD, reason: BAD, commandId: BAD }],
  'queue.resume': [{ queue: 'mutated', reason: 'r', commandId: 'c' }],
  'queue.set': [{ queue: BAD, settings: { concurrency: 5, fair: { label: 'a', weights: { b: 2 } } }, unset: ['rate'] }],
  'queue.stats': [{ queue: 'mutated' }],
  'queue.list': [{ after: 'mutated', limit: 7 }],
  'retention.set': [{ queue: BAD, contentMs: 5, commandId: 'c', partitions: [99] }],
  'retention.list': [{ limit: 7 }],
  'snapshot.take': [{ partitions: [99] }],
});

/** Values of a wrong type or out of range. */
const ODD: readonly unknown[] = [
  null, true, -1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 64, Number.MIN_VALUE,
  '', ' ', '*', '>', 'a. b', 'a b', '\u0000', '\r\nINFO {}\r\n', '\u202e', 'ä'.repeat(200), '𝕏'.repeat(5_000),
  [], [[]], [null], {}, { __proto__: null, constructor: 1 }, { toString: 'x' }, [1, 'a', {}],
  nested(50), 'x'.repeat(70_000),
];

const NAMES = ['foo', 'constructor', 'jobs', 'a.b', '', 'n\nl', 'toString'];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n += 1) value = n % 2 ? [value] : { a: value };
  return value;
}

/** The payload of a protobuf seed, as JSON has it. */
const jsonOf = (body: Body): Body =>
  JSON.parse(JSON.stringify(body, (_, value: unknown) => (isBuffer(value) ? 1 : value))) as Body;
const isBuffer = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';

export class Mutations {
  private readonly draw: () => number;
  private readonly proved: Readonly<Record<string, readonly Body[]>>;
  private readonly unproved = seedsOf(UNREGISTERED);

  /** @param ended a session that was given out and has ended: its proof is still valid */
  constructor(seed: number, ended: Me) {
    this.draw = random(seed);
    this.proved = seedsOf({ ...ended });
  }

  below(n: number): number {
    return Math.floor(this.draw() * n);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(): Buffer {
    return Buffer.from(Array.from({ length: this.below(200) }, () => this.below(256)));
  }

  /** Flips bits, truncates, doubles or splices. */
  mutatedBytes(bytes: Uint8Array): Buffer {
    const copy = Buffer.from(bytes);
    switch (this.below(5)) {
      case 0: return copy.subarray(0, this.below(copy.length));
      case 1: return Buffer.concat([copy, copy]);
      case 2: return Buffer.concat([copy, this.bytes()]);
      case 3: {
        const [head, middle] = [copy.subarray(0, this.below(copy.length)), this.bytes()];
        return Buffer.concat([head, middle, copy.subarray(this.below(copy.length))]);
      }
      default:
        for (let n = 1 + this.below(4); n > 0; n -= 1) copy[this.below(copy.length)]! ^= 1 << this.below(8);
        return copy;
    }
  }

  /** Replaces, removes or adds one value somewhere in it. */
  mutatedJson(body: Body): string {
    const copy = structuredClone(body);
    let at: Record<string, unknown> = copy;
    for (;;) {
      const key = this.of(Object.keys(at).length > 0 ? Object.keys(at) : ['x']);
      const value = at[key];
      if (typeof value === 'object' && value !== null && this.draw() < 0.7) {
        at = value as Record<string, unknown>;
        continue;
      }
      const fate = this.draw();
      if (fate < 0.6) at[key] = this.of(ODD);
      else if (fate < 0.75) delete at[key];
      else if (!Array.isArray(at)) at[this.of(NAMES)] = this.of(ODD);
      else at.push(this.of(ODD));
      const text = JSON.stringify(copy);
      const last = this.draw();
      if (last < 0.1) return text.replace('{', '{"__proto__":{"polluted":1},');
      return last < 0.2 ? text.slice(0, this.below(text.length)) : text;
    }
  }

  request(client: Stranger, subject: string): Uint8Array {
    const body = this.of((this.below(4) === 0 ? this.unproved : this.proved)[subject]!);
    switch (this.below(6)) {
      case 0: return this.bytes();
      case 1:
      case 2: return this.mutatedBytes(client.encode(client.requestType(subject), body));
      case 3: return this.mutatedBytes(Buffer.from(JSON.stringify(jsonOf(body))));
      default: return Buffer.from(this.mutatedJson(jsonOf(body)));
    }
  }
}
