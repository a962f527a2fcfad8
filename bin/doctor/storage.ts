/** Whether the server can write, which only its monitoring address tells. */
import { ERRORS } from '../../protocols/errors.js';
import { healthOf, isWriteError } from '../../streams/server/health.js';
import { fail, ok, warn, type Finding } from './finding.js';

export async function storageFindings(monitoring: string | undefined): Promise<Finding[]> {
  // Without an address the finding on durability says already how to give one.
  if (monitoring === undefined) return [];
  const health = await healthOf(monitoring.replace(/\/+$/, ''));
  if (isWriteError(health)) return [fail('storage', `DISK_FULL: ${health.says}`, ERRORS.DISK_FULL.hint)];
  return [health.ok ? ok('storage', 'the server writes') : warn('storage', health.says || `nothing answers at ${monitoring}`, 'Look into the log of the server.')];
}
