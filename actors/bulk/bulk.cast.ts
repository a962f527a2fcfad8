/** What a leader does with bulks: in each turn a slice of collecting, or of acting. */
import type { CastMember } from '../cast.js';
import { testOf } from '../filter/filterable.js';
import { parseFilter } from '../filter/parse.js';
import { jobKind } from '../job/job.kind.js';
import type { Cause, Step } from '../step.js';
import { actOn, bytesOf, CAUSE } from './act.js';
import type { Bulk } from './bulk.js';
import { bulkKind, type BulkRole } from './bulk.kind.js';
import { decodePlaces, encodePlaces } from './places.js';

/** Jobs that one turn looks at, and acts on. */
const LOOKED_AT = 20_000;
const ACTED_ON = 100;
const SLICE_BYTES = 128 * 1024;
/** A place takes 8 bytes at most; far less as a difference. */
const COLLECTED = 4_000;
/** Beside the jobs' events: advanced, skipped, done. */
const OWN_EVENTS = 3;

export const bulks: CastMember<BulkRole> = {
  kind: bulkKind,
  due(step, bulk) {
    const cause: Cause = { commandId: '', type: 'Timer', by: '' };
    if (bulk.status === 'collecting') collect(step, bulk, cause);
    else if (bulk.status === 'acting') act(step, bulk, cause);
  },
};

/** The filter has times in place of ages, so it does not matter when it is read. */
function collect(step: Step, bulk: Readonly<Bulk>, cause: Cause): void {
  const { id, next: from, upTo, hold } = bulk;
  const fits = testOf(parseFilter(bulk.filter, 0));
  const places: number[] = [];
  let [looked, next] = [0, upTo];
  for (const job of step.read(jobKind).after(from - 1)) {
    if (job.place >= upTo) break;
    if (looked === LOOKED_AT || places.length === COLLECTED) {
      next = job.place;
      break;
    }
    looked += 1;
    if (fits(job)) places.push(job.place);
  }
  step.makeRoom(COLLECTED * 9, OWN_EVENTS);
  const members = { places: encodePlaces(from, places), members: places.length, from, next };
  step.emit(bulkKind, id, { type: 'BulkCollected', body: { status: 'collecting', ...members } }, cause);
  if (next < upTo) return;
  step.emit(bulkKind, id, { type: 'BulkFrozen', body: { status: 'held' } }, cause);
  if (!hold) step.emit(bulkKind, id, { type: 'BulkWent', body: { status: 'acting' } }, cause);
}

function act(step: Step, bulk: Readonly<Bulk>, cause: Cause): void {
  const { id, dueMs, perSecond } = bulk;
  const places = slice(step, bulk);
  step.makeRoom(SLICE_BYTES, places.length + OWN_EVENTS);
  // One slice in a tick: what comes late is not made up for, so the rate is the highest.
  const nextMs = Math.max(dueMs + Math.ceil((places.length * 1_000) / perSecond), step.nowMs + 1);
  // First, because a commit that begins may forget a job.
  const body = { status: 'acting', members: places.length, dueMs: nextMs } as const;
  const advanced = step.emit(bulkKind, id, { type: 'BulkAdvanced', body }, cause);
  const jobs = { commandId: '', type: CAUSE[bulk.action], by: bulk.by };
  const members = places.filter((place) => !actOn(step, bulk, place, jobs)).length;
  if (members > 0) step.emit(bulkKind, id, { type: 'BulkSkipped', body: { status: 'acting', members } }, cause);
  if (advanced.advanced >= advanced.members) {
    step.emit(bulkKind, id, { type: 'BulkDone', body: { status: 'done' } }, cause);
  }
}

/** The next members, as many as fit into one decision. */
function slice(step: Step, { chunks: [chunk], inChunk, perSecond }: Readonly<Bulk>): number[] {
  if (chunk === undefined) return [];
  const most = Math.min(ACTED_ON, Math.ceil(perSecond / 10));
  const places = decodePlaces(chunk.from, Buffer.from(chunk.places, 'base64'), inChunk, most);
  let bytes = 0;
  const end = places.findIndex((place, nth) => (bytes += bytesOf(step, place)) > SLICE_BYTES && nth > 0);
  return end < 0 ? places : places.slice(0, end);
}
