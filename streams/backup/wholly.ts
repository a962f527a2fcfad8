/** Reads a journal to its end for certain: a reading that ends early is gone on with, and a position that is lost found. */
import { setTimeout as wait } from 'node:timers/promises';
import { RepriseError } from '../../protocols/errors.js';
import type { Journal, Stored } from '../journal.js';

/** Without any progress. Seen: right after many writes the server delivers less than it has acknowledged. */
const TRIES = 10;
const PAUSE_MS = 500;

/** Every message up to the end at the time of the call. @throws RepriseError JOURNAL_BROKEN if one is missing */
export async function* wholly(
  journal: Pick<Journal, 'end' | 'replay' | 'partition'>, fromSeq: number,
): AsyncGenerator<Stored> {
  const { lastSeq } = await journal.end();
  let next = fromSeq;
  for (let tries = TRIES; next <= lastSeq; ) {
    const before = next;
    try {
      for await (const stored of journal.replay(next)) {
        next = stored.seq + 1;
        yield stored;
      }
    } catch (error) {
      if (!(error instanceof RepriseError) || error.code !== 'TIMED_OUT' || tries === 0) throw error;
    }
    if (next > lastSeq) return;
    tries = next > before ? TRIES : tries - 1;
    if (tries < 0) throw missing(journal.partition, next, lastSeq);
    await wait(PAUSE_MS);
  }
}

function missing(partition: number, position: number, lastSeq: number): RepriseError {
  const message = `Position ${position} of partition ${partition} is missing: the stream's end is ${lastSeq}.`;
  return new RepriseError('JOURNAL_BROKEN', message, { cause: { position } });
}
