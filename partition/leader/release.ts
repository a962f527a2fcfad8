import { isLater, refused, sendReply, type ReplyTo, type Reply, type Sooner } from '../../actors/reply.js';
import { reject } from '../../protocols/errors.js';

/** Sends a reply, at once or when its contents have been read from the journal. If they cannot be read, it refuses. */
export function release(to: ReplyTo, reply: Sooner<Reply>): void {
  if (!isLater(reply)) return sendReply(to, reply);
  void reply.then(
    (made) => sendReply(to, made),
    (cause: unknown) => sendReply(to, refused(reject('UNKNOWN', `the journal could not be read: ${String(cause)}`))),
  );
}
