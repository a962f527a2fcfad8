/** `reprise submit` */
import { randomBytes } from 'node:crypto';
import { RepriseError } from '../../protocols/errors.js';
import { errorOf } from '../../sdk/replies.js';
import { hasEnded, mayBeRecorded, type Client, type JobReply, type JobToSubmit } from '../../sdk/client.js';
import type { Where } from '../arguments.js';
import { printError as say } from '../error-exit.js';
import { note, print, visible } from '../terminal.js';
import { withClient } from './client.js';
import { readPayload } from './payload.js';
import { jsonOf, lacksWorker, resultText, statusText } from './show-values.js';
import { jobOfFlags } from './submit-flags.js';

const INTERRUPTED = 130;
const WAIT_MS = 3_600_000;
/** How often the state of a job that is waited for is looked at, in case that it has no worker. */
const LOOK_MS = 5_000;

/** Those of the fields of a job are in submit-flags.ts. */
export interface SubmitFlags extends Where, Readonly<Record<string, unknown>> {
  readonly wait?: true;
  readonly waitTimeout?: number;
  readonly json?: true;
}

export async function runSubmit(type: string, payload: string | undefined, flags: SubmitFlags): Promise<void> {
  const wait = flags.wait === true;
  if (!wait && flags.waitTimeout !== undefined) {
    throw new RepriseError('USAGE', '--wait-timeout is for --wait, which is not given.');
  }
  const drawn = randomBytes(12).toString('base64url');
  const job: JobToSubmit = { commandId: drawn, ...jobOfFlags(flags), ...(await readPayload(payload)), type };
  const reply = await withClient(flags, async (client) => {
    const submitted = await record(client, job);
    if (submitted.noWorker) note(lacksWorker(type, job.queue));
    return wait ? awaitEnd(client, job, submitted, flags.waitTimeout ?? WAIT_MS) : submitted;
  });
  if (flags.json) print(jsonOf(reply));
  else if (wait && reply.status === 'completed') printResult(reply);
  else if (!wait) tellSubmitted(reply);
  if (wait && reply.status !== 'completed') notCompleted(reply);
}

async function record(client: Client, job: JobToSubmit): Promise<JobReply> {
  const [reply] = await client.submit([job]).catch((error: unknown) => {
    if (!(error instanceof RepriseError) || !error.retryable) throw error;
    const again = `Repeat it with --command-id ${job.commandId}: the same id is the same job.`;
    const repeat = `It may have been recorded. ${again}`;
    const hint = mayBeRecorded(error.code) ? repeat : `${error.hint} Nothing was recorded.`;
    throw new RepriseError(error.code, error.message, { cause: error, hint });
  });
  const { error } = reply!;
  if (error) throw errorOf(error);
  return reply!;
}

/** The job is recorded by now, so a user who interrupts the wait gets the command that shows it. */
async function awaitEnd(
  client: Client, { type, queue }: JobToSubmit, submitted: JobReply, waitMs: number,
): Promise<JobReply> {
  if (hasEnded(submitted.status)) return submitted;
  const { jobId, duplicate } = submitted;
  const untilMs = performance.now() + waitMs;
  let noted = submitted.noWorker;
  const interrupted = (): void => {
    note(`job ${jobId} goes on; reprise jobs watch ${jobId}`);
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', interrupted);
  try {
    for (;;) {
      const reply = await client.await({ jobId }, { waitMs: Math.min(LOOK_MS, untilMs - performance.now()) });
      if (hasEnded(reply.status) || performance.now() >= untilMs) return { ...reply, duplicate };
      if (reply.noWorker && !noted) note(lacksWorker(type, queue));
      noted ||= reply.noWorker;
    }
  } finally {
    process.off('SIGINT', interrupted);
  }
}

/** The id alone goes to stdout, for `id=$(reprise submit …)`. */
function tellSubmitted({ jobId, status, duplicate }: JobReply): void {
  print(jobId);
  note(`${statusText(status)}${duplicate ? ' (it was submitted before)' : ''}`);
}

/** As it is stored. Bytes go out without a line break, so that they can be written into a file. */
function printResult(reply: JobReply): void {
  const text = resultText(reply);
  if (text === undefined) process.stdout.write(reply.resultBytes ?? new Uint8Array());
  else print(text);
}

function notCompleted({ jobId, status, failure }: JobReply): void {
  process.exitCode = 1;
  const reason = failure ? visible(`${failure.code}: ${failure.message}`) : 'no reason is recorded';
  if (hasEnded(status)) say(`job ${jobId} ${status}: ${reason}`, `reprise replay ${jobId} shows all that happened.`);
  else say(`job ${jobId} is still ${status}; the time to wait is over.`, `reprise jobs watch ${jobId}`);
}
