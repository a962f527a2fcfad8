/** What the server's max_payload leaves for a commit. */
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';

/** Subject, headers, and what a commit has beside its events. */
const ENVELOPE_BYTES = 4_096;
/** For all of an event that is not its payload or result. */
const BESIDE_PAYLOAD_BYTES = 64 * 1024;
const LEAST_BYTES = LIMITS.payloadBytes + BESIDE_PAYLOAD_BYTES + ENVELOPE_BYTES;

/**
 * The largest commit that the server takes.
 * @throws RepriseError SERVER_MISCONFIGURED if it cannot hold the largest payload: one such job would end every leader
 */
export function mostCommitBytes({ info }: NatsConnection): number {
  const most = info?.max_payload ?? LIMITS.requestBytes;
  if (most >= LEAST_BYTES) return Math.min(LIMITS.commitBytes, most - ENVELOPE_BYTES);
  const needed = `a commit with the largest payload needs at least ${LEAST_BYTES}.`;
  throw new RepriseError('SERVER_MISCONFIGURED', `The server's max_payload is ${most} bytes; ${needed}`, {
    hint: 'Set `max_payload: 1MB` in the configuration of the server, and restart or reload it.',
  });
}
