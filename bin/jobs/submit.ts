/** `reprise submit` */
import { RepriseError } from '../../protocols/errors.js';
import { hasEnded, type JobAnswer, type JobToSubmit } from '../../sdk/client.js';
import type { SubmitFlags } from '../commands/submit.js';
import { say } from '../failure.js';
import { print } from '../terminal.js';
import { withClient } from './client.js';
import { readPayload } from './payload.js';
import { plain, statusText } from './show-values.js';

export async function runSubmit(type: string, payload: string | undefined, flags: SubmitFlags): Promise<void> {
  const job = jobOf(type, await readPayload(payload), flags);
  const wait = flags.wait === true;
  const answer = await withClient(flags, async (client) => (await client.submit([job], { wait, waitMs: flags.waitTimeout }))[0]!);
  if (answer.error) throw new RepriseError(answer.error.code as 'INVALID_ARGUMENT', answer.error.message, { hint: answer.error.hint, retryable: answer.error.retryable });
  if (flags.json) print(JSON.stringify(plain(answer)));
  else if (wait && answer.status === 'completed') printResult(answer);
  else if (!wait) print(`${answer.jobId} ${statusText(answer.status)}${answer.duplicate ? ' (it was submitted before)' : ''}`);
  if (wait && answer.status !== 'completed') notCompleted(answer);
}

function jobOf(type: string, payload: unknown, flags: SubmitFlags): JobToSubmit {
  const { queue, priority, key, delay, attempts, timeout, label } = flags;
  return {
    type, payload,
    ...(queue !== undefined && { queue }),
    ...(priority !== undefined && { priority }),
    ...(key !== undefined && { key }),
    ...(delay !== undefined && { delayMs: delay }),
    ...(attempts !== undefined && { retry: { maxAttempts: attempts } }),
    ...(timeout !== undefined && { timeouts: { attemptMs: timeout } }),
    ...(label !== undefined && { labels: label }),
  };
}

/** Bytes go out as they are, so that they can be written into a file. */
function printResult({ result }: JobAnswer): void {
  if (result instanceof Uint8Array) process.stdout.write(result);
  else print(JSON.stringify(result));
}

function notCompleted({ jobId, status, failure }: JobAnswer): void {
  process.exitCode = 1;
  if (hasEnded(status)) say(`job ${jobId} ${status}: ${failure ? `${failure.code}: ${failure.message}` : 'no reason is recorded'}`, `reprise replay ${jobId} shows all that happened.`);
  else say(`job ${jobId} is still ${status}; the time to wait is over.`, `reprise jobs watch ${jobId}`);
}
