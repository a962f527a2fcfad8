import { answer, isLater, refused, type Asker, type Reply, type Sooner } from '../../actors/reply.js';
import { reject } from '../../protocols/errors.js';

/** Replies now if everything is at hand, later otherwise. What cannot be found out is refused, never guessed. */
export function release(to: Asker, reply: Sooner<Reply>): void {
  if (!isLater(reply)) return answer(to, reply);
  void reply.then(
    (made) => answer(to, made),
    (cause: unknown) => answer(to, refused(reject('UNKNOWN', `the journal could not be read: ${String(cause)}`))),
  );
}
