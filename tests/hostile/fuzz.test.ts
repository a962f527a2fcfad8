/**
 * Random and mutated requests to each public subject. Every request is answered, with a code of the error table or with
 * a success that changes nothing; no commit is written; the broker keeps running. 1,000 requests for each subject, or
 * REPRISE_INPUTS.
 */
import type { Msg } from 'nats';
import t from 'tap';
import { ERRORS } from '../../protocols/errors.js';
import { Reprise } from '../broker.js';
import { Stranger, SUBJECTS } from '../stranger.js';
import { Mutations } from './mutations.js';

const SEED = Number(process.env['REPRISE_SEED'] ?? 20_260_801);
const INPUTS = Number(process.env['REPRISE_INPUTS'] ?? 1_000);
const AT_ONCE = 50;
const LEGAL: ReadonlySet<string> = new Set(Object.keys(ERRORS));

const reprise = await Reprise.start(t, { brokers: 0 });
const broker = await reprise.startChild();
const client = await Stranger.connect(reprise);
t.teardown(() => client.close());
const manager = await client.reader.jetstreamManager({ checkAPI: false });
const lastSeq = async (): Promise<number> =>
  (await manager.streams.info(`REPRISE_${reprise.ns}_JOURNAL_0`)).state.last_seq;
const codeOf = (msg: Msg): string => (msg.headers?.get('Nats-Service-Error') ?? '').split(':')[0]!;

/** A session that was given out and has ended. */
const ended = await client.register('gone', { types: ['gone'], capacity: 1 });
await client.patient('worker.drain', { ...ended, gone: true });

/** What is left of a request is valid if a mutation takes away what is wrong with it. */
const MAY_BE_VALID: ReadonlySet<string> = new Set(['retention.set']);

for (const [nth, subject] of SUBJECTS.entries()) {
  t.test(`${INPUTS} requests to ${subject}, seed ${SEED + nth}`, { timeout: 120_000 }, async (t) => {
    const mutations = new Mutations(SEED + nth, ended);
    const before = await lastSeq();
    const codes: Record<string, number> = {};
    const illegal: string[] = [];
    for (let from = 0; from < INPUTS && illegal.length < 3; from += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        const request = mutations.request(client, subject);
        const noReply = (error: unknown): string => `NO REPLY (${String(error)})`;
        const code = await client.raw(subject, request, 3_000).then(codeOf, noReply);
        codes[code || 'ok'] = (codes[code || 'ok'] ?? 0) + 1;
        if (code === '' || LEGAL.has(code)) return;
        illegal.push(`${code} to ${Buffer.from(request).toString('base64').slice(0, 400)}`);
      }));
    }
    t.strictSame(illegal, [], `every request is answered: ${JSON.stringify(codes)}`);
    const accepted = MAY_BE_VALID.has(subject) ? (codes['ok'] ?? 0) : 0;
    t.ok((await lastSeq()) - before <= accepted, 'no commit was written, but for what was accepted');
    t.ok(broker.isRunning, 'the broker runs');
    const { code } = await client.patient('job.submit', { type: 'next', payload: 1 });
    t.equal(code, '', 'and the next submit succeeds');
  });
}
