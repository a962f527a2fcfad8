/** The principal of the command line, as the journal records it. It is a claim and is not verified. */
import { hostname, userInfo } from 'node:os';
import { LIMITS } from '../protocols/limits.js';

// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const UNFIT = /[\u0000-\u001f\u007f\p{Surrogate}\ufffd]/gu;

/** `<user>@<host>`, as far as the system tells. */
export const principal = (user: () => string = () => userInfo().username, host: () => string = hostname): string =>
  cut(`${named(user, 'unknown')}@${named(host, 'unknown')}`);

/** A user without an entry in the password file has no name: `userInfo` throws. */
function named(read: () => string, otherwise: string): string {
  try {
    return read().replaceAll(UNFIT, '').trim() || otherwise;
  } catch {
    return otherwise;
  }
}

/** To whole characters. */
function cut(text: string): string {
  let kept = text;
  while (Buffer.byteLength(kept) > LIMITS.principalBytes) kept = [...kept].slice(0, -1).join('');
  return kept;
}
