/** The other side of {@link Forked}: a child process that executes the calls of its parent. */
import { messageOf } from '../../protocols/errors.js';
import type { CallMessage, Calls, ResultMessage } from './forked.js';

const CLOSE_WITHIN_MS = 3_000;
let closing: () => Promise<void> = async () => undefined;

// Registered when this module is loaded, because the parent may be gone before serve() is called.
process.once('disconnect', end);
if (!process.connected) end();
// Ctrl-C reaches the whole process group; the parent ends its children in order.
process.on('SIGINT', () => undefined);

/** @param close called when the parent disconnects or is gone; then the process ends */
export function serve<C extends Calls>(calls: C, close: () => Promise<void>): void {
  closing = close;
  process.on('message', (message: CallMessage) => void execute(calls, message));
}

function end(): void {
  setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
  void closing().finally(() => process.exit(0));
}

/** The argument of `Forked.start`. */
export const givenArgument = <T>(): T => JSON.parse(process.argv[2] ?? 'null') as T;

async function execute(calls: Calls, { id, name, argument }: CallMessage): Promise<void> {
  const send = (result: Omit<ResultMessage, 'id'>): boolean | undefined => process.send?.({ id, ...result });
  try {
    // Messages stay in the channel until the module has loaded, so any result shows that it has.
    const call = calls[name];
    send({ value: call ? await call(argument as never) : undefined });
  } catch (error) {
    send({ error: error instanceof Error && error.stack ? error.stack : messageOf(error) });
  }
}
