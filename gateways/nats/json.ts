/**
 * The JSON face of the same messages, for `nats req` and for languages without protobuf. Shapes are checked here and
 * unknown fields refused; bounds are checked where protobuf's are, in job-requests.ts and worker-requests.ts.
 * Payloads and results are never values here: they are the bytes of the request itself.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { reject, type Rejection } from '../../protocols/errors.js';
import { job, worker } from '../../protocols/messages.js';
import type { Verb } from '../../protocols/subjects.js';
import { Invalid, validated } from '../../protocols/bounds.js';
import { readEnvelope } from './raw-json.js';

const count = z.number().nonnegative();
const texts = z.array(z.string());
const map = z.record(z.string(), z.string());
/** As the envelope's reader left them: JSON text in bytes. */
const raw = z.instanceof(Uint8Array);
/** An error that repeats a field's name must not outgrow the reply. */
const MOST_MESSAGE = 256;
/** In its one canonical form: bits that would be dropped are a mistake. */
const base64 = z.base64().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'not canonical base64');
const NULL = Buffer.from('null');

const payloadFields = { payload: raw.optional(), payloadBase64: base64.optional(), contentType: z.string().optional() };
const submitJob = z.strictObject({
  type: z.string(), queue: z.string().optional(), ...payloadFields, priority: z.number().int().optional(), key: z.string().optional(),
  commandId: z.string().optional(), delayMs: count.optional(), runAt: z.union([count, z.iso.datetime({ offset: true })]).optional(),
  retry: z.strictObject({
    maxAttempts: count.min(1).optional(),
    backoff: z.strictObject({ initialMs: count.optional(), factor: z.number().optional(), maxMs: count.optional(), jitter: z.number().optional() }).optional(),
    nonRetryable: texts.optional(),
  }).optional(),
  timeouts: z.strictObject({ attemptMs: count.optional(), totalMs: count.optional(), heartbeatMs: count.optional() }).optional(),
  require: map.optional(), labels: map.optional(),
});
const waiting = { wait: z.boolean().optional(), waitMs: count.optional() };
const targetFields = { jobId: z.string().optional(), queue: z.string().optional(), key: z.string().optional() };
const identity = { workerId: z.string(), session: z.string(), proof: z.string().optional() };
const partition = count.optional();
const report = z.strictObject({
  token: z.string(), outcome: z.string(), result: raw.optional(), resultBase64: base64.optional(), contentType: z.string().optional(),
  failure: z.strictObject({ code: z.string().optional(), message: z.string().optional(), stack: z.string().optional() }).optional(),
  retryAfterMs: count.optional(),
});

const SCHEMAS = {
  submit: z.union([submitJob.extend(waiting), z.strictObject({ jobs: z.array(submitJob), ...waiting })]),
  get: z.strictObject(targetFields),
  await: z.strictObject({ ...targetFields, waitMs: count.optional() }),
  cancel: z.strictObject({ ...targetFields, reason: z.string().optional(), commandId: z.string().optional() }),
  register: z.strictObject({ ...identity, session: z.string().optional(), types: texts, queues: texts.optional(), capacity: count, software: z.string().optional() }),
  pull: z.strictObject({
    ...identity, partition, pullSeq: count, free: count, expiresMs: count, held: texts.optional(), reports: z.array(report).optional(),
  }),
  report: z.strictObject({ ...identity, partition, reports: z.array(report) }),
  heartbeat: z.strictObject({
    ...identity, partition, tokens: texts,
    progress: z.array(z.strictObject({ token: z.string(), fraction: z.number(), message: z.string().optional() })).optional(),
  }),
  drain: z.strictObject({ ...identity, gone: z.boolean().optional() }),
} as const satisfies Record<Verb, z.ZodType>;

type Json<V extends Verb> = z.infer<(typeof SCHEMAS)[V]>;
type JsonJob = z.infer<typeof submitJob>;
type JsonReport = z.infer<typeof report>;

export interface Parsed {
  /** In the shape of the protobuf message of its verb, defaults filled in. */
  readonly message: object;
  /** Whether several jobs were submitted in a list, and so want a list for an answer. */
  readonly batch: boolean;
}

export function parseJson(verb: Verb, bytes: Uint8Array): Parsed | Rejection {
  const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const malformed = whyMalformed(request);
  if (malformed !== undefined) return reject('MALFORMED', `not valid JSON: ${malformed}`);
  return validated(() => {
    const value = readEnvelope(request);
    // A union's errors say little; the branch that was meant is known by its `jobs`.
    const schema = verb === 'submit' ? SCHEMAS.submit.options[isBatch(value) ? 1 : 0]! : SCHEMAS[verb];
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new Invalid('INVALID_ARGUMENT', describe(parsed.error));
    return { message: toMessage(verb, parsed.data), batch: isBatch(value) };
  });
}

function whyMalformed(request: Buffer): string | undefined {
  if (!isUtf8(request)) return 'it is not UTF-8';
  try {
    JSON.parse(request.toString());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const isBatch = (value: unknown): value is { jobs: unknown } => typeof value === 'object' && value !== null && Object.hasOwn(value, 'jobs');

function toMessage(verb: Verb, data: unknown): object {
  switch (verb) {
    case 'submit': {
      const given = data as Json<'submit'>;
      const jobs = isBatch(given) ? (given as { jobs: JsonJob[] }).jobs : [given as JsonJob];
      return job.SubmitJobs.create({ jobs: jobs.map(jobMessage), wait: given.wait ?? false, waitMs: given.waitMs ?? 0 });
    }
    case 'get': return job.GetJob.create(data as Json<'get'>);
    case 'await': return job.AwaitJob.create(data as Json<'await'>);
    case 'cancel': return job.CancelJob.create(data as Json<'cancel'>);
    case 'register': return worker.RegisterWorker.create(data as Json<'register'>);
    case 'pull': return worker.Pull.create({ ...(data as Json<'pull'>), reports: ((data as Json<'pull'>).reports ?? []).map(reportMessage) });
    case 'report': return worker.ReportAttempts.create({ ...(data as Json<'report'>), reports: (data as Json<'report'>).reports.map(reportMessage) });
    case 'heartbeat': return worker.Heartbeat.create(data as Json<'heartbeat'>);
    case 'drain': return worker.DrainWorker.create(data as Json<'drain'>);
    default: return verb satisfies never;
  }
}

function jobMessage({ payload, payloadBase64, runAt, ...rest }: JsonJob): job.SubmitJob {
  if (payload !== undefined && payloadBase64 !== undefined) throw new Invalid('INVALID_ARGUMENT', 'payload and payloadBase64 exclude each other');
  const message = job.SubmitJob.create(rest as job.SubmitJob.$Properties);
  if (rest.retry) message.retry = job.RetryPolicy.create(rest.retry as job.RetryPolicy.$Properties);
  message.payload = payloadBase64 === undefined ? (payload ?? NULL) : Buffer.from(payloadBase64, 'base64');
  if (payloadBase64 !== undefined && rest.contentType === undefined) message.contentType = 'application/octet-stream';
  if (runAt !== undefined) message.runAtMs = typeof runAt === 'number' ? runAt : timeOf(runAt);
  return message;
}

/** Times are whole milliseconds; `Date.parse` cuts off what is finer. */
function timeOf(text: string): number {
  if (/\.\d{3}\d*[1-9]/.test(text)) throw new Invalid('INVALID_ARGUMENT', 'runAt is finer than a millisecond');
  return Date.parse(text);
}

function reportMessage({ result, resultBase64, ...rest }: JsonReport): worker.Report {
  if (result !== undefined && resultBase64 !== undefined) throw new Invalid('INVALID_ARGUMENT', 'result and resultBase64 exclude each other');
  const message = worker.Report.create(rest as worker.Report.$Properties);
  if (rest.outcome === 'ok') message.result = resultBase64 === undefined ? (result ?? NULL) : Buffer.from(resultBase64, 'base64');
  if (resultBase64 !== undefined && rest.contentType === undefined) message.contentType = 'application/octet-stream';
  return message;
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join('.') || 'request'}: ${issue.message}`.slice(0, MOST_MESSAGE) : 'the request has a wrong shape';
}
