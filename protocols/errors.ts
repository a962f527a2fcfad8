/**
 * Every error code of Reprise, in one table. docs/errors.md is generated from it.
 *
 * `rejection`: a command was refused, and nothing changed. `failure`: how an attempt ended, recorded in the journal.
 * `operating`: something that Reprise depends on does not work; thrown as {@link RepriseError}.
 * `status` is the number in the Nats-Service-Error-Code header.
 */
interface Row {
  readonly kind: 'rejection' | 'failure' | 'operating';
  readonly status: number;
  readonly retryable: boolean;
  readonly meaning: string;
  readonly hint: string;
}

const rejection = (status: number, meaning: string, hint: string, retryable = false) =>
  ({ kind: 'rejection', status, retryable, meaning, hint }) as const;
/** `retryable`: whether another attempt may follow. */
const failure = (meaning: string, hint: string, retryable = true) =>
  ({ kind: 'failure', status: 0, retryable, meaning, hint }) as const;
const operating = (meaning: string, hint: string, retryable = false) =>
  ({ kind: 'operating', status: 503, retryable, meaning, hint }) as const;

export const ERRORS = {
  MALFORMED: rejection(400,
    'The request is neither valid JSON in UTF-8 nor a valid protobuf message of its subject.',
    'Compare it with docs/protocol.md.'),
  INVALID_ARGUMENT: rejection(400,
    'A field is unknown, has a wrong type, is out of range, or is given twice.',
    'The message names the field and what it accepts.'),
  UNSUPPORTED: rejection(501,
    'The field is reserved for a feature that does not exist yet.',
    'Leave it out.'),
  TOO_LARGE: rejection(413,
    'A payload, a result or a request is over the limit.',
    'Put the data into an object store and send a reference.'),
  REQUIREMENT_INVALID: rejection(400,
    'The `require` of a job has an unknown field or operator, a wrong type, or is over a bound.',
    'The message names the path, and the nearest known name. See docs/matching.md.'),
  REQUIREMENT_CONTRADICTORY: rejection(400,
    'The `require` of a job contradicts itself: no worker could ever match it.',
    'The message names the path. Remove one of the two.'),
  CAPABILITIES_INVALID: rejection(400,
    'The capabilities of a worker have a known field of a wrong type, or are too deep or too large.',
    'The message names the path. See docs/matching.md.'),
  NOT_FOUND: rejection(404,
    'There is no such job, or its key has expired; or no worker of this id is known.',
    'Check the id and the namespace.'),
  KEY_CONFLICT: rejection(409,
    'The key belongs to a job with another payload.',
    'Use another key, or send the same payload: the same bytes, not only the same value.'),
  KEYS_EXHAUSTED: rejection(429,
    'The partition holds as many keys as it may.',
    'Wait for keys to expire, or spread the jobs over more queues.', true),
  CLASSES_EXHAUSTED: rejection(429,
    'The waiting jobs of the partition have as many different requirements as they may.',
    'Let jobs that need the same have the same `require`, or wait until some have ended.', true),
  QUEUE_PAUSED: rejection(409,
    'The queue is paused and accepts no jobs.',
    'Resume the queue, `reprise queues resume <name>`, or submit to another one. The message says why it is paused.'),
  COMMAND_CONFLICT: rejection(409,
    'The command id was used for another command.',
    'Draw a new command id for every new command.'),
  ALREADY_ENDED: rejection(409,
    'The job has ended and cannot be changed.',
    'The message says how it ended.'),
  BULKS_EXHAUSTED: rejection(429,
    'The partition has as many bulks as it may that have not ended.',
    'Wait until one of them is done, or stop one.', true),
  NOT_ENDED: rejection(409,
    'The job has not ended, so it cannot be retried.',
    'The message says in which status it is.'),
  PAYLOAD_REMOVED: rejection(410,
    'The payload of the job was removed, by retention or from the journal.',
    'Retry the job with another payload.'),
  SET_ASIDE: rejection(409,
    'The job, worker or queue is set aside: a stored event of it cannot be folded. All others go on.',
    'See `reprise doctor` for all that are set aside, and `reprise replay <id>` for the event.'),
  STALE_ATTEMPT: rejection(409,
    'The token does not belong to the current attempt.',
    'Stop the attempt: the job was given to another worker or has ended.'),
  UNKNOWN_WORKER: rejection(404,
    'The leader does not know this session of the worker.',
    'Register, then pull again.', true),
  SESSION_UNPROVED: rejection(403,
    'The proof in the request does not belong to the session that it names.',
    'Register, and send the session and the proof from the reply.'),
  WRONG_PARTITION: rejection(421,
    'The request names jobs or tokens of another partition.',
    'Send reports and tokens to the partition that their job id begins with.'),
  NOT_LEADER: rejection(503,
    'The broker does not lead this partition now. Nothing was changed.',
    'Send it again.', true),
  UNPROCESSABLE: rejection(422,
    'The leader failed when it decided the request. Nothing was changed.',
    'Do not send it again: report it with the message and the log of the broker.'),
  OVERLOADED: rejection(429,
    'Too many events are waiting to be written to the journal. Nothing was changed.',
    'Send it again a little later.', true),
  UNKNOWN: rejection(504,
    'It is not known whether the command was recorded: the journal did not acknowledge it.',
    'Send it again with the same commandId.', true),

  PERFORMER_ERROR: failure(
    'The performer threw an error.',
    'The failure holds its message.'),
  PERFORMER_FAILED: failure(
    'The performer called fail(), which allows no more attempts.',
    'The failure holds its reason.', false),
  PAYLOAD_INVALID: failure(
    'The payload could not be decoded, or validate() of the performer refused it.',
    'Submit the job again with a valid payload.', false),
  RESULT_INVALID: failure(
    'The result of the performer cannot be encoded or is too large.',
    'Return JSON or bytes within the limit.'),
  ATTEMPT_TIMED_OUT: failure(
    'The attempt took longer than timeouts.attemptMs.',
    'Raise the time-out or make the work smaller.'),
  LEASE_EXPIRED: failure(
    'The worker was silent for longer than timeouts.heartbeatMs.',
    'It crashed, hung, lost its connection, or blocked its event loop.'),
  CRASH_LOOP: failure(
    'As many leases of the job were lost as retry.maxCrashes allows: its workers died or hung under it.',
    '`reprise replay <id>` names the workers. Look there for memory, native crashes and a blocked event loop.', false),
  WORKER_STOPPED: failure(
    'The worker was stopped before the performer ended.',
    'Another worker takes the job. Give workers more time to drain.'),
  START_TIMED_OUT: failure(
    'The first attempt of the job did not start within timeouts.startMs.',
    'Raise the time-out or add workers.', false),
  TOTAL_TIMED_OUT: failure(
    'The job did not end within timeouts.totalMs.',
    'Raise the time-out or add workers.', false),
  BROKEN_HISTORY: failure(
    'A stored event of the job could not be folded. The job was set aside, and then ended by actor.repair.',
    'The failure holds the reason that was given.', false),
  CANCELLED: failure(
    'The job was cancelled.',
    'The failure holds the reason that was given.', false),

  SERVER_UNREACHABLE: operating(
    'No NATS server answers at the address.',
    'Start one with `reprise dev`, or give --nats or REPRISE_NATS_URL.', true),
  SERVER_MISSING: operating(
    'No nats-server was found, and none could be fetched.',
    'Install nats-server 2.14 or newer on PATH, or run `npm run fetch-server` while online.'),
  SERVER_FAILED: operating(
    'The nats-server did not start, stopped, or reported an error.',
    'The message holds what it reported.'),
  SERVER_MISCONFIGURED: operating(
    'The server is not configured as Reprise needs it.',
    'The message names the setting. Change it in the configuration of the server, and restart or reload it.'),
  NO_BROKER: operating(
    'No broker listens on the subject. Nothing was recorded.',
    'Start a broker: `reprise broker` or `reprise dev`.', true),
  TIMED_OUT: operating(
    'No reply came in time.',
    'The broker may be starting. Send it again; a command with the same commandId.', true),
  PERMISSION_DENIED: operating(
    'The server does not allow this user to do that.',
    'Brokers, and commands that read the journal, need the broker user of nats-server.conf: ' +
      '--nats nats://broker:<password>@<host>:<port>, or REPRISE_NATS_URL. ' +
      'The password of an embedded server is in broker.secret of its data folder.'),
  STREAM_MISMATCH: operating(
    'A stream is missing, or not configured as Reprise needs it.',
    'The message names the differences. Change the configuration of the stream, or use another namespace.'),
  JOURNAL_FULL: operating(
    'The journal has reached its max_bytes, or the server its max_file_store. Nothing was dropped.',
    'Raise max_bytes of the stream or max_file_store of the server; the message says which one.'),
  DISK_FULL: operating(
    'The server cannot write: its disk is full or fails, or did so since the server was started.',
    'Make room on the disk of the server, then restart the server: until then it stores nothing more. ' +
      '`reprise dev` restarts its server automatically.'),
  JOURNAL_REGRESSED: operating(
    'The journal lacks a commit that is known to have been in it.',
    'Stop, keep the data folder, run `reprise audit verify --data <copy>`, restore.'),
  JOURNAL_BROKEN: operating(
    'The chain of hashes in the journal is broken, or a content in it does not match its hash.',
    'Stop, keep the data folder, run `reprise audit verify --data <copy>`, restore.'),
  SNAPSHOT_BROKEN: operating(
    'A snapshot cannot be read, or is not what was written.',
    'An older one, or the journal, is used instead. Look at `reprise snapshots ls`.'),
  SNAPSHOT_FAILED: operating(
    'A snapshot that was asked for could not be taken. The journal keeps everything meanwhile.',
    'The message says why. See the log of the broker that leads the partition, and the disk of the server.', true),
  JOURNAL_TOO_NEW: operating(
    'A commit needs a newer version of Reprise.',
    'Upgrade all brokers, and the `reprise` command, to the release that the message names or a later one.'),
  ARCHIVE_UNREACHABLE: operating(
    'The store of the archive does not answer, refuses, or cannot write.',
    'The message holds what it reported. Jobs go on, but journals are not truncated until the archive is written: ' +
      'watch the disk of the server.', true),
  ARCHIVE_BROKEN: operating(
    'An object of the archive is missing, was changed, or does not follow the one before.',
    'The message names the object. Keep the archive as it is, and put the object back from a copy of the store.'),
  NAMESPACE_EXISTS: operating(
    'There is something already where a namespace is to be restored.',
    'Restore into an empty server, or into another namespace with --namespace.'),
  RESTORE_UNFINISHED: operating(
    'The namespace is being restored, or a restore of it was interrupted. No broker leads it.',
    'Wait for the end of `reprise restore`, or run it again with the same options: it goes on where it was.'),
  FOLD_DIVERGED: operating(
    'Replaying an event led to another status than the event names.',
    'Run the version that wrote it, and report this with `reprise replay <id> --json`.'),
  PERFORMER_NOT_LOADED: operating(
    'A performer file could not be loaded.',
    'The message names the file and the reason.'),
  USAGE: operating(
    'The command line is wrong.',
    'See --help.'),
} as const satisfies Record<string, Row>;

export type Code = keyof typeof ERRORS;
type CodeOf<Kind> = { [C in Code]: (typeof ERRORS)[C]['kind'] extends Kind ? C : never }[Code];
export type RejectionCode = CodeOf<'rejection'>;
export type FailureCode = CodeOf<'failure'>;
export type OperatingCode = CodeOf<'operating'>;

/** A refusal, as a value: nothing changed. An operating error is one if it prevents a command from being decided. */
export interface Rejection {
  readonly code: RejectionCode | OperatingCode;
  readonly message: string;
}

export const reject = (code: Rejection['code'], message: string): Rejection => ({ code, message });

/** A refusal as it is sent. Its code may be any text, because a newer broker has codes that our table lacks. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
}

/** A refusal from another broker, with its row of the table, because our table may lack its code. */
export interface ForeignRejection extends WireError {
  readonly status: number;
}

export const isCode = (text: string): text is Code => Object.hasOwn(ERRORS, text);

export function wireError(refused: Rejection | ForeignRejection): WireError {
  const { code, message } = refused;
  const { hint, retryable } = 'status' in refused ? refused : ERRORS[refused.code];
  return { code, message, hint, retryable };
}

/** For the Nats-Service-Error-Code header. */
export const statusOf = (refused: Rejection | ForeignRejection): number =>
  'status' in refused ? refused.status : ERRORS[refused.code].status;

type Decoded<T> = { readonly [Field in keyof T]?: T[Field] | null };

/** @param status of the header; without one, that of the table, or else 503 or 500 by `retryable` */
export function foreignRejection(error: Decoded<WireError>, status?: number): ForeignRejection {
  const { code, message, hint, retryable } = error;
  const sent = { code: code ?? '', message: message ?? '', hint: hint ?? '', retryable: retryable ?? false };
  const own = isCode(sent.code) ? ERRORS[sent.code].status : undefined;
  return { ...sent, status: status ?? own ?? (sent.retryable ? 503 : 500) };
}

/** A code that another broker sent and that is not in our table. */
export type ForeignCode = string & { readonly foreignCode: unique symbol };

export const codeOf = (text: string): Code | ForeignCode => (isCode(text) ? text : (text as ForeignCode));

interface RepriseErrorOptions {
  readonly cause?: unknown;
  readonly hint?: string;
  readonly retryable?: boolean;
}

/** Something that we depend on does not work, or a request was refused. `hint` says what to do about it. */
export class RepriseError extends Error {
  readonly code: Code | ForeignCode;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(code: Code | ForeignCode, message: string, options: RepriseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const row: Row | undefined = isCode(code) ? ERRORS[code] : undefined;
    this.name = 'RepriseError';
    this.code = code;
    this.hint = options.hint ?? row?.hint ?? '';
    this.retryable = options.retryable ?? row?.retryable ?? false;
  }
}

/** For messages: JavaScript may throw anything, not only errors. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
