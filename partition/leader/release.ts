import { isLater, refused, sendReply, unreadable, type ReplyTo, type Reply, type Sooner } from '../../actors/reply.js';
import type { Taken } from '../../streams/snapshots/store.js';
import type { Snapshotter } from './snapshotter.js';

/**
 * Makes a reply and sends it, at once or when its contents have been read from the journal. If it cannot be made, this
 * request alone is refused: an error thrown from here would end the process, because nothing above handles it.
 */
export function release(to: ReplyTo, make: () => Sooner<Reply>): void {
  const refuse = (error: unknown): void => sendReply(to, refused(unreadable(error)));
  let reply: Sooner<Reply>;
  try {
    reply = make();
  } catch (error) {
    return refuse(error);
  }
  if (!isLater(reply)) return sendReply(to, reply);
  void reply.then((made) => sendReply(to, made), refuse);
}

/** @param snapshots undefined: none are taken (any more) */
export async function askForSnapshot(snapshots: Snapshotter | undefined): Promise<Taken> {
  if (snapshots === undefined) return { kind: 'failed', message: 'this leader takes none, or leads no more' };
  return snapshots.ask();
}
