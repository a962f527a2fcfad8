/** One page of jobs from those of all partitions, by the time of submission. */
import type { Partition } from '../../protocols/ids.js';
import type { job as messages } from '../../protocols/messages.js';
import type { Reply } from '../reply.js';
import { bytesOf, cursorOf, cursorText, PAGE_BYTES, type ListJobs } from './page.js';

type JobList = messages.JobList.$Properties;

interface Listed {
  readonly job: messages.JobView.$Properties;
  readonly place: number;
  readonly of: Partition;
}

/**
 * What does not fit, or is younger than what another partition has looked at, is on the next page.
 * @param replies of all partitions, in their order
 */
export function mergedList(replies: readonly Reply[], { limit, after }: ListJobs): Reply {
  const refused = replies.find((each) => each.refused);
  if (refused) return refused;
  const pages = replies.map((each) => each.message as JobList);
  const boundMs = Math.min(Infinity, ...pages.filter(({ next }) => next).map(({ upToMs }) => upToMs ?? 0));
  const listed = pages.flatMap(listedIn).sort(byAge);
  const shown = cut(listed.filter(({ job }) => (job.submittedMs ?? 0) <= boundMs), limit);
  const next = new Map<Partition, number>();
  pages.forEach((page, nth) => {
    const of = nth as Partition;
    const isCut = listed.some((each) => each.of === of && !shown.includes(each));
    const last = shown.findLast((each) => each.of === of)?.place;
    if (isCut) next.set(of, last === undefined ? (after?.get(of) ?? 0) : last + 1);
    else if (page.next) next.set(of, cursorOf(page.next)!.get(of)!);
  });
  const list: JobList = {
    jobs: shown.map(({ job }) => job), places: shown.map(({ place }) => place), next: cursorText(next),
    filter: pages[0]?.filter ?? '', positions: pages.flatMap((page) => page.positions ?? []),
  };
  if (next.size > 0) list.upToMs = boundMs === Infinity ? (shown.at(-1)?.job.submittedMs ?? 0) : boundMs;
  return { message: list };
}

const listedIn = ({ jobs, places }: JobList, of: number): Listed[] =>
  (jobs ?? []).map((job, nth) => ({ job, place: places![nth]!, of: of as Partition }));

const byAge = (a: Listed, b: Listed): number =>
  (a.job.submittedMs ?? 0) - (b.job.submittedMs ?? 0) || a.of - b.of || a.place - b.place;

function cut(listed: readonly Listed[], limit: number): readonly Listed[] {
  let bytes = 0;
  const end = listed.findIndex(({ job: { key, labels, failure } }, nth) => {
    bytes += bytesOf(key, labels, failure);
    return nth > 0 && (nth === limit || bytes > PAGE_BYTES);
  });
  return end < 0 ? listed : listed.slice(0, end);
}
