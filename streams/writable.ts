/**
 * Whether the server can write. nats-server 2.14 does not reply to a message that it cannot store, nor to any later one
 * of that stream until it is restarted, even once the disk has room again. It reports a failed write only when it is
 * asked to make something; the cheapest such thing is a consumer on disk.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import { operating } from './connect.js';

/** The server removes the consumer automatically if we cannot. */
const INACTIVE_MS = 5_000;

/** @throws RepriseError DISK_FULL when the server cannot make a file beside the stream */
export async function checkWritable(jsm: JetStreamManager, stream: string): Promise<void> {
  try {
    const { name } = await jsm.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.New,
      num_replicas: 1,
      inactive_threshold: nanos(INACTIVE_MS),
    });
    await jsm.consumers.delete(stream, name);
  } catch (error) {
    throw operating(error, `The server stored nothing in ${stream}, and making a file beside it failed`);
  }
}

/** The disk has room, and the stream still stores nothing. */
export const stuck = (partition: number): RepriseError =>
  new RepriseError(
    'DISK_FULL',
    `The server replies, but stores nothing in the journal of partition ${partition}. ` +
      'After a full disk it must be restarted.',
  );
