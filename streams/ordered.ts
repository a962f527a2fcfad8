/**
 * Reads a stream from one position to another, in order and without silent loss: by a pull consumer made for this
 * reading, whose numbering shows lost messages. When it has nothing more, the stream's leader is asked for the rest.
 */
import { jetstreamManager, type MsgRequest } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import { operating } from './connect.js';
import type { Stored } from './journal.js';
import { Puller, type PulledFrom, SILENCE_MS } from './puller.js';

export interface Reading extends PulledFrom {
  /** The last position, as the stream's leader gave it. */
  readonly untilSeq: number;
}

/** Pause before a consumer on a replica that lags is asked again. */
const LAG_MS = 25;

export async function* readStream(nc: NatsConnection, reading: Reading): AsyncGenerator<Stored> {
  if (reading.fromSeq > reading.untilSeq) return;
  const puller = await Puller.open(nc, reading);
  try {
    let last = reading.fromSeq - 1;
    const giveUp = deadline();
    while (last < reading.untilSeq) {
      const message = puller.take() ?? (await puller.wait());
      if (message !== undefined) {
        giveUp.postpone();
        if (message.seq > reading.untilSeq) return;
        last = message.seq;
        yield message;
      } else {
        if (!(await hasMore(nc, reading, last + 1))) return;
        giveUp.check(last);
        await new Promise((resolve) => setTimeout(resolve, LAG_MS));
      }
    }
  } finally {
    await puller.close();
  }
}

function deadline(): { postpone(): void; check(last: number): void } {
  let at = performance.now() + SILENCE_MS;
  return {
    postpone: () => void (at = performance.now() + SILENCE_MS),
    check: (last) => {
      if (performance.now() <= at) return;
      throw new RepriseError('TIMED_OUT', `The server does not deliver the message behind position ${last}.`);
    },
  };
}

/** Asks the stream's leader, not the replica that the consumer may live on. */
async function hasMore(nc: NatsConnection, reading: Reading, fromSeq: number): Promise<boolean> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  try {
    // The next message of the subject at or after the position. The client's type lacks this query.
    const query = { seq: fromSeq, next_by_subj: reading.subject ?? '>' } as MsgRequest;
    const next = await jsm.streams.getMessage(reading.stream, query);
    return next !== null && next.seq <= reading.untilSeq;
  } catch (error) {
    throw operating(error, `Reading ${reading.stream} failed`);
  }
}
