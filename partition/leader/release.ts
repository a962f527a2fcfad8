import { isLater, refused, sendReply, type ReplyTo, type Reply, type Sooner } from '../../actors/reply.js';
import { reject } from '../../protocols/errors.js';

/** Replies now if everything is at hand, later otherwise. What cannot be found out is refused, never guessed. */
export function release(to: ReplyTo, reply: Sooner<Reply>): void {
  if (!isLater(reply)) return sendReply(to, reply);
  void reply.then(
    (made) => sendReply(to, made),
    (cause: unknown) => sendReply(to, refused(reject('UNKNOWN', `the journal could not be read: ${String(cause)}`))),
  );
}
