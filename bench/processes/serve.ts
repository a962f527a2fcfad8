/** The other side of {@link Forked}: what a child process does with the questions it is sent. */
import type { Answer, Calls, Question } from './forked.js';

const CLOSE_WITHIN_MS = 3_000;
let closing: () => Promise<void> = async () => undefined;

// From the moment this is loaded: the parent may be gone before there is anything to serve, and then nothing would end us.
process.once('disconnect', end);
if (!process.connected) end();
// Ctrl-C reaches the whole group; the parent ends its children in order.
process.on('SIGINT', () => undefined);

/** @param close run when the parent lets go or is gone; the process ends after it */
export function serve<C extends Calls>(calls: C, close: () => Promise<void>): void {
  closing = close;
  process.on('message', (question: Question) => void answer(calls, question));
}

function end(): void {
  setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
  void closing().finally(() => process.exit(0));
}

/** What `Forked.start` was given. */
export const givenArgument = <T>(): T => JSON.parse(process.argv[2] ?? 'null') as T;

async function answer(calls: Calls, { id, name, argument }: Question): Promise<void> {
  const reply = (rest: Omit<Answer, 'id'>): boolean | undefined => process.send?.({ id, ...rest });
  try {
    // Messages wait in the channel until the module has loaded, so that an answer means that it has.
    const call = calls[name];
    reply({ value: call ? await call(argument as never) : undefined });
  } catch (error) {
    reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
