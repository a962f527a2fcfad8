/** The principal of the command line, as the journal records it. It is a claim and is not verified. */
import { hostname, userInfo } from 'node:os';
import { UNFIT_IN_PRINCIPAL } from '../protocols/bounds.js';
import { LIMITS } from '../protocols/limits.js';

const UNFIT = new RegExp(`${UNFIT_IN_PRINCIPAL.source}|\ufffd`, 'gu');

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
