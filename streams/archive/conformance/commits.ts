/** Journals of any commits, as brokers write them, for tests of archives. Tests only. */
import fc from 'fast-check';
import type { Partition } from '../../../protocols/ids.js';
import { job, journal } from '../../../protocols/messages.js';
import { headOf, type Head } from '../../chain.js';
import { encodeCommit, headerAfter } from '../../commit.js';
import { ContentWriter } from '../../content.js';
import type { Stored } from '../../journal.js';
import { randomSalts } from '../../salts.js';
import type { JournalName } from '../manifest.js';

export const JOURNAL: JournalName = { namespace: 'ns', journalId: '0123456789abcdef', partition: 3 as Partition };

export interface AnyCommit {
  /** Foreign messages before it, which take positions. */
  readonly gap: number;
  readonly version: 1 | 2;
  /** Of each event the number of its actor, and its content; an empty one is none. */
  readonly events: readonly { readonly actor: number; readonly content: Uint8Array }[];
  /** Contents that are removed before it is archived: those of these events. */
  readonly removed: readonly number[];
  /** Behind the hashed part, in place of the contents: as somebody may write it who is no broker. */
  readonly beside: Uint8Array | undefined;
}

const salts = randomSalts();

export const actorId = (actor: number): string => `3-${String(actor).padStart(16, '0')}`;

/** The first commit is at position 1. */
export function journalOf(commits: readonly AnyCommit[]): Stored[] {
  const stored: Stored[] = [];
  let head: Head | undefined;
  for (const commit of commits) {
    const start: Head = head ?? {
      journalId: JOURNAL.journalId, partition: JOURNAL.partition, seq: 0, hash: new Uint8Array(0), epoch: 1, nowMs: 1,
      minReader: 0,
    };
    const leader = { leaderId: 'leader', epoch: start.epoch + (commit.version === 1 ? 1 : 0) };
    const header = { ...headerAfter(start, leader, start.nowMs + commit.events.length), version: commit.version };
    const seq = start.seq + 1 + (head === undefined ? 0 : commit.gap);
    const bytes = encoded(commit, header);
    stored.push({ seq, bytes });
    head = headOf(header, JOURNAL.partition, seq, bytes);
  }
  return stored;
}

function encoded({ version, events, removed, beside }: AnyCommit, header: Parameters<typeof encodeCommit>[0]) {
  const [kept, hashes] = [new ContentWriter(), new ContentWriter()];
  const written = events.map(({ actor, content }, index) => {
    const event = { kind: 'job', id: actorId(actor), type: 'JobCompleted', version: 1, body: BODY };
    if (content.length === 0 || version === 1) return event;
    // A content that is not kept has another salt; nobody will know.
    const writer = removed.includes(index) ? hashes : kept;
    const hash = Buffer.from(writer.add(index, content, salts), 'latin1');
    return { ...event, content: { hash, size: content.length, field: 4 } };
  });
  const contents = kept.take();
  return encodeCommit(header, journal.Commit.encode({ events: written }).finish(),
    version === 1 ? new Uint8Array(0) : (beside ?? contents));
}

const BODY = job.JobCompleted.encode({ status: 'completed', attempt: 1 }).finish();

const anyContent = fc.oneof(
  { weight: 2, arbitrary: fc.constant(new Uint8Array(0)) },
  { weight: 3, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 3_000 }).map((length) => new Uint8Array(length).fill(length)) },
);

/** Well-formed, but not what the hashes say; in an unusual encoding; or an index of no event. */
const anyBeside = fc.oneof(
  fc.array(fc.record({ event: fc.nat(4), salted: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 3 })
    .map((contents) => journal.Commit.encode({ contents }).finish()),
  fc.uint8Array({ maxLength: 12 }).map((inside) => Uint8Array.from([0xda, 0, inside.length, ...inside])),
  fc.uint8Array({ maxLength: 12 }).map((inside) => Uint8Array.from([90, inside.length | 128, 0, ...inside])),
);

const often = { freq: 8, nil: undefined } as const;

export const anyCommit: fc.Arbitrary<AnyCommit> = fc.record({
  gap: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(300) }),
  version: fc.constantFrom(2, 2, 2, 2, 1),
  events: fc.array(fc.record({ actor: fc.nat(40), content: anyContent }), { minLength: 1, maxLength: 12 }),
  removed: fc.array(fc.nat(11), { maxLength: 3 }),
  beside: fc.constant(undefined),
});

/** Also commits whose contents nobody of us wrote. */
export const hostileCommit: fc.Arbitrary<AnyCommit> = fc.tuple(anyCommit, fc.option(anyBeside, { ...often, freq: 2 }))
  .map(([commit, beside]) => ({ ...commit, beside }));

export const anyJournal = (commit = anyCommit): fc.Arbitrary<Stored[]> =>
  fc.array(commit, { minLength: 1, maxLength: 25 }).map(journalOf);
