/**
 * Runs when the package is installed: fetches the nats-server, so that the first start works offline. It never fails an
 * install, for there may be a server elsewhere; the first start that needs one tries again.
 */
import { findServer } from '../streams/server/binary.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  await findServer({ log: say });
} catch (error) {
  const { message, hint } = error as { message: string; hint?: string };
  say(`Warning: no nats-server yet. ${message} ${hint ?? ''}`);
}
