/** Where the parts of a commit lie that an archive treats apart, found in one pass and without decoding it. */
import { CONTENTS } from '../content.js';
import { EncodedCommit } from '../encoded-commit.js';
import { Fields } from '../fields.js';

const PREV_HASH = 7;
const EVENTS = 10;
const EVENT_KIND = 1;
const EVENT_ID = 2;
const EVENT_CONTENT = 7;
const LEAF_HASH = 1;
/** SHA-256. */
export const HASH_BYTES = 32;
/** The first two bytes of a commit of version 2, the only one whose contents lie outside its hash. */
const VERSION_2 = [8, 2] as const;

export interface Layout {
  readonly hashedBytes: number;
  /** Where the header ends and the first event begins. */
  readonly headerBytes: number;
  /** Offset of `prevHash`; undefined if there is none of 32 bytes. */
  readonly prevHashAt: number | undefined;
  /** Offset of the hash of each content, and which event it belongs to. */
  readonly leaves: readonly { readonly hashAt: number; readonly event: number }[];
  readonly eventCount: number;
}

/** Gets the offsets of an event's kind and id: from, to, from, to. */
export type OnActor = (kindFrom: number, kindTo: number, idFrom: number, idTo: number) => void;

/** @throws RangeError if these are not the bytes of a commit */
export function layoutOf(bytes: Uint8Array, onActor?: OnActor): Layout {
  const fields = new Fields(bytes, 0, bytes.length);
  const last = bytes[0] === VERSION_2[0] && bytes[1] === VERSION_2[1] ? CONTENTS : 0;
  const leaves: Layout['leaves'][number][] = [];
  let prevHashAt: number | undefined;
  let [headerBytes, eventCount, field] = [-1, 0, 0];
  for (field = fields.next(); field !== 0 && field !== last; field = fields.next()) {
    if (field === PREV_HASH && fields.end - fields.start === HASH_BYTES) prevHashAt = fields.start;
    if (field !== EVENTS) continue;
    if (headerBytes < 0) headerBytes = fields.tagAt;
    const hashAt = readEvent(bytes, fields.start, fields.end, onActor);
    if (hashAt > 0) leaves.push({ hashAt, event: eventCount });
    eventCount += 1;
  }
  const hashedBytes = field === 0 ? bytes.length : fields.tagAt;
  return { hashedBytes, headerBytes: headerBytes < 0 ? hashedBytes : headerBytes, prevHashAt, leaves, eventCount };
}

/** @returns where the hash of its content begins, or 0 */
function readEvent(bytes: Uint8Array, from: number, to: number, onActor: OnActor | undefined): number {
  const fields = new Fields(bytes, from, to);
  let [kindFrom, kindTo, idFrom, idTo, hashAt] = [from, from, from, from, 0];
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === EVENT_KIND) [kindFrom, kindTo] = [fields.start, fields.end];
    else if (field === EVENT_ID) [idFrom, idTo] = [fields.start, fields.end];
    else if (field === EVENT_CONTENT) hashAt = leafHash(bytes, fields.start, fields.end);
  }
  onActor?.(kindFrom, kindTo, idFrom, idTo);
  return hashAt;
}

export interface ReadLayout extends Layout {
  /** The salted content of each leaf; undefined if it was removed. */
  readonly salted: readonly (Uint8Array | undefined)[];
  /** What is wrong with the contents; undefined if they are well-formed. */
  readonly problem: string | undefined;
}

/** With the contents. @throws RangeError if these are not the bytes of a commit */
export function readLayout(bytes: Uint8Array, onActor?: OnActor): ReadLayout {
  const layout = layoutOf(bytes, onActor);
  if (layout.hashedBytes === bytes.length) {
    return { ...layout, salted: layout.leaves.map(() => undefined), problem: undefined };
  }
  const encoded = new EncodedCommit(bytes);
  const salted = layout.leaves.map(({ event }) => encoded.saltedContent(event));
  return { ...layout, salted, problem: encoded.problem };
}

function leafHash(bytes: Uint8Array, from: number, to: number): number {
  const leaf = new Fields(bytes, from, to);
  return leaf.seek(LEAF_HASH) && leaf.end - leaf.start === HASH_BYTES ? leaf.start : 0;
}
