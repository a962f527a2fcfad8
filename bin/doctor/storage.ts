/** Checks that the server can write, which only its monitoring address shows. */
import { ERRORS } from '../../protocols/errors.js';
import { healthOf, isWriteError } from '../../streams/server/health.js';
import type { Monitored } from './durability.js';
import { fail, ok, warn, type Finding } from './finding.js';

export async function storageFindings({ address, facts }: Monitored): Promise<Finding[]> {
  // Without the right address the finding on durability already says how to give one.
  if (address === undefined || facts === undefined) return [];
  const health = await healthOf(address);
  if (isWriteError(health)) return [fail('storage', `DISK_FULL: ${health.says}`, ERRORS.DISK_FULL.hint)];
  if (health.ok) return [ok('storage', 'the server writes')];
  return [warn('storage', health.says || `no reply from ${address}`, 'See the log of the server.')];
}
