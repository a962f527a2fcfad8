/** Reads a journal to its end: a reading that ends before has lost a position. */
import { RepriseError } from '../../protocols/errors.js';
import type { Journal, Stored } from '../journal.js';

/** Every message up to the end at the time of the call. @throws RepriseError JOURNAL_BROKEN if the end is missing */
export async function* wholly(
  journal: Pick<Journal, 'end' | 'replay' | 'partition'>, fromSeq: number,
): AsyncGenerator<Stored> {
  const { lastSeq } = await journal.end();
  let next = fromSeq;
  for await (const stored of journal.replay(fromSeq)) {
    next = stored.seq + 1;
    yield stored;
  }
  if (next > lastSeq) return;
  const message = `Position ${next} of partition ${journal.partition} is missing: the stream's end is ${lastSeq}.`;
  throw new RepriseError('JOURNAL_BROKEN', message, { cause: { position: next } });
}
