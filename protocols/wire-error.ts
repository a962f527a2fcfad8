/** Reads the body of an error reply. */
import { foreignRejection, type WireError } from './errors.js';
import { error } from './messages.js';
import { tryRead } from './try-read.js';

/** undefined if it is not one of ours: another service replied, with headers alone or in another form. */
export function readWireError(data: Uint8Array): WireError | undefined {
  const decoded = tryRead(() => error.Error.decode(data));
  if (decoded === undefined) return undefined;
  const { code, message, hint, retryable } = foreignRejection(decoded);
  return code === '' ? undefined : { code, message, hint, retryable };
}
