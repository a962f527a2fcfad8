/** A job in the canonical view: its content by hash and size. Positions and texts of contents are kept separately. */
import { canonicalOf, hex, latin1, refOf, type CanonicalContent } from '../canonical.js';
import type { Job, StoredBytes } from './job.js';
import { detached } from './job-copy.js';

interface CanonicalBytes extends CanonicalContent {
  readonly contentType: string;
}

type Plain = Omit<Job, 'payload' | 'result' | 'failure' | 'cancelReason'>;

export interface JobState extends Plain {
  readonly payload: CanonicalBytes;
  readonly result: CanonicalBytes | undefined;
  readonly failure: { readonly code: string; readonly content: CanonicalContent | undefined } | undefined;
  readonly cancelReason: CanonicalContent | undefined;
}

/** Bytes by their position in the journal; texts as they are. */
export interface JobPlaces {
  readonly payload?: readonly [seq: number, index: number];
  readonly result?: readonly [seq: number, index: number];
  readonly failure?: string;
  readonly cancelReason?: string;
}

const bytes = ({ hash, size, contentType }: StoredBytes): CanonicalBytes => ({ hash: hex(hash), size, contentType });

export function viewOfJob(job: Job): JobState {
  const { payload, result, failure, cancelReason } = job;
  return {
    ...detached(job),
    payload: bytes(payload),
    result: result && bytes(result),
    failure: failure && { code: failure.code, content: canonicalOf(failure.content) },
    cancelReason: canonicalOf(cancelReason?.content),
  };
}

export function placesOf({ payload, result, failure, cancelReason }: Job): JobPlaces {
  return {
    payload: [payload.seq, payload.index],
    ...(result && { result: [result.seq, result.index] as const }),
    ...(failure && { failure: failure.message }),
    ...(cancelReason && { cancelReason: cancelReason.text }),
  };
}

export function jobOf(view: JobState, places: JobPlaces): Job {
  const { failure, cancelReason } = view;
  const text = places.cancelReason;
  const hasReason = Boolean(cancelReason) || text !== undefined;
  return {
    ...view,
    payload: storedAt(view.payload, places.payload),
    result: view.result && storedAt(view.result, places.result),
    failure: failure && { code: failure.code, message: places.failure ?? '', content: refOf(failure.content) },
    cancelReason: hasReason ? { text: text ?? '', content: refOf(cancelReason) } : undefined,
  };
}

function storedAt(
  { hash, size, contentType }: CanonicalBytes, [seq, index]: readonly [number, number] = [0, 0],
): StoredBytes {
  return { seq, index, contentType, hash: latin1(hash), size };
}
