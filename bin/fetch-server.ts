/**
 * Runs when the package is installed: fetches the nats-server, so that the first start works offline. A failure does
 * not fail the installation, because there may be a server elsewhere; the first start that needs one tries again.
 */
import { findServer } from '../streams/server/binary.js';

const log = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  await findServer({ log });
} catch (error) {
  const { message, hint } = error as { message: string; hint?: string };
  log(`Warning: nats-server was not fetched. ${message} ${hint ?? ''}`);
}
