/**
 * Whether the server can write. It answers nothing to a message that it cannot store, and refuses every later one of
 * that stream in the same silence until it is restarted, also when there is room again (nats-server 2.14). Only where
 * it makes something it says that it could not: a consumer on disk is the least of that.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import { operating } from './connect.js';

/** The server removes the consumer by itself when we cannot. */
const GONE_AFTER_MS = 5_000;

/** @throws RepriseError DISK_FULL when the server cannot make a file beside the stream */
export async function checkRoom(jsm: JetStreamManager, stream: string): Promise<void> {
  try {
    const { name } = await jsm.consumers.add(stream, {
      ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.New, num_replicas: 1, inactive_threshold: nanos(GONE_AFTER_MS),
    });
    await jsm.consumers.delete(stream, name);
  } catch (error) {
    throw operating(error, `The server stored nothing in ${stream}, and making a file beside it failed`);
  }
}

/** What remains to be said when there is room and the stream takes nothing all the same. */
export const stuck = (partition: number): RepriseError =>
  new RepriseError('DISK_FULL', `The server answers, but stores nothing in the journal of partition ${partition}. After a full disk it must be restarted.`);
