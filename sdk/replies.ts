/** Replies of the broker as plain values: no protobuf, hashes in hexadecimal, content decoded. */
import type { Failure } from '../actors/job/job.js';
import { VIEW_FIELDS, type ViewField } from '../actors/job/job.view.js';
import { decodeContent } from '../protocols/content.js';
import { codeOf, RepriseError, type WireError } from '../protocols/errors.js';
import { error, job } from '../protocols/messages.js';
import { readWireError } from '../protocols/wire-error.js';

export interface Position {
  readonly partition: number;
  readonly seq: number;
  /** Hexadecimal. */
  readonly hash: string;
  readonly epoch: number;
}

/** What submit, await and cancel return for a job. */
export interface JobReply {
  readonly jobId: string;
  readonly status: string;
  readonly duplicate: boolean;
  readonly attempt: number;
  readonly cancelling: boolean;
  readonly position: Position | undefined;
  /** When completed: a JSON value, or bytes. */
  readonly result?: unknown;
  /** The result as it is stored. `result` may lack digits, and lacks white space. */
  readonly resultBytes?: Uint8Array;
  readonly contentType?: string;
  readonly failure?: Failure;
  /** The job is ready, but no worker that is registered now performs its type on its queue. */
  readonly noWorker?: true;
  /** This job of the batch was refused. The other fields have no meaning then. */
  readonly error?: WireError;
}

/** The fields of the message, without nulls. */
type Plain = { readonly [F in Exclude<ViewField, 'failure'>]: NonNullable<job.JobView[F]> };

/** What get returns. The fields are those of job.view.ts. */
export interface JobView extends Plain, Omit<JobReply, keyof Plain | 'duplicate' | 'error'> {
  /** 0 unless it is running. */
  readonly progress: number;
  readonly progressMessage: string;
  /** Why the job is set aside, if it is: it is shown as last known. */
  readonly setAside?: string;
}

export function jobReplyOf(reply: job.JobReply): JobReply {
  const { jobId, status, duplicate, attempt, cancelling } = reply;
  const refused = reply.error ? { error: wireErrorOf(reply.error as error.Error) } : {};
  return {
    jobId, status, duplicate, attempt, cancelling, position: positionOf(reply.position), ...outcomeOf(reply),
    ...(reply.noWorker && { noWorker: true as const }), ...refused,
  };
}

export function viewOf(view: job.JobView): JobView {
  const shown = Object.fromEntries(VIEW_FIELDS.map((field) => [field, view[field]]));
  const { failure: _, ...fields } = shown as Plain & Pick<job.JobView, 'failure'>;
  const { labels, progress, progressMessage, position } = view;
  return {
    ...fields, labels: { ...labels }, progress, progressMessage, position: positionOf(position), ...outcomeOf(view),
    ...(view.noWorker && { noWorker: true as const }), ...(view.setAside && { setAside: view.setAside }),
  };
}

interface Outcome extends Pick<job.JobReply, 'status' | 'result' | 'contentType'> {
  readonly failure?: job.Failure.$Properties | null;
}

type Ended = Pick<JobReply, 'result' | 'resultBytes' | 'contentType' | 'failure'>;

function outcomeOf({ status, result, contentType, failure }: Outcome): Ended {
  return {
    ...(status === 'completed' && {
      result: contentOf(result, contentType), resultBytes: result, ...(contentType && { contentType }),
    }),
    ...(failure && { failure: failureOf(failure) }),
  };
}

const failureOf = ({ code, message, stack }: job.Failure.$Properties): Failure =>
  ({ code: code ?? '', message: message ?? '', ...(stack && { stack }) });

/** Content of type JSON that is not valid JSON is returned as bytes. */
export function contentOf(bytes: Uint8Array, contentType: string): unknown {
  try {
    return decodeContent(bytes, contentType);
  } catch {
    return bytes;
  }
}

export function positionOf(position: job.Position.$Properties | null | undefined): Position | undefined {
  if (!position) return undefined;
  const { partition = 0, seq = 0, hash, epoch = 0 } = position;
  return { partition: partition ?? 0, seq: seq ?? 0, hash: Buffer.from(hash ?? []).toString('hex'), epoch: epoch ?? 0 };
}

const wireErrorOf = ({ code, message, hint, retryable }: error.Error): WireError =>
  ({ code, message, hint, retryable });

/** A refusal as the error to throw. A code that this version does not know is kept. */
export const errorOf = ({ code, message, hint, retryable }: WireError): RepriseError =>
  new RepriseError(codeOf(code), message, { hint, retryable });

/** The body of a refusal as the error to throw. @param text says what is known of one in another form */
export const refusalOf = (body: Uint8Array, text = 'The request was refused.'): RepriseError =>
  errorOf(readWireError(body) ?? { code: 'SERVER_FAILED', message: text, hint: '', retryable: false });
