/** The body of a refusal, read. */
import { foreignRejection, type WireError } from './errors.js';
import { error } from './messages.js';

/** undefined: there is none, because a service that is not ours answered with headers alone or in a form of its own. */
export function readWireError(data: Uint8Array): WireError | undefined {
  try {
    const { code, message, hint, retryable } = foreignRejection(error.Error.decode(data));
    return code === '' ? undefined : { code, message, hint, retryable };
  } catch {
    return undefined;
  }
}
