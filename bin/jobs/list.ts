/** `reprise jobs ls` */
import { listJobs, type ListedJob } from '../../sdk/jobs.js';
import type { Where } from '../arguments.js';
import { durationText } from '../figures.js';
import { table } from '../table.js';
import { note, print, visible } from '../terminal.js';
import { withClient } from './client.js';

export interface ListFlags extends Where {
  readonly limit: number;
  readonly json?: true;
}

const HEADINGS = ['job', 'status', 'type', 'queue', 'attempt', 'age', 'failure'] as const;
const MOST_IN_PAGE = 1_000;
const MOST_SHOWN = 60;

export async function runList(filter: readonly string[], flags: ListFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const jobs: ListedJob[] = [];
    const pageOf = (text: string, after?: string) =>
      listJobs(client, text, { limit: Math.min(MOST_IN_PAGE, flags.limit - jobs.length), ...(after && { after }) });
    let page = await pageOf(filter.join(' '));
    jobs.push(...page.jobs);
    while (page.next !== undefined && jobs.length < flags.limit) {
      page = await pageOf(page.filter, page.next);
      jobs.push(...page.jobs);
    }
    const { next } = page;
    if (flags.json) return print(JSON.stringify({ jobs, filter: page.filter, ...(next !== undefined && { next }) }));
    if (jobs.length === 0) return note('No job that is with its leader matches the filter.');
    for (const line of table(HEADINGS, jobs.map(rowOf))) print(line);
    if (next !== undefined) note(`There may be more: --limit <count> shows more than ${flags.limit}.`);
  });
}

function rowOf({ jobId, status, type, queue, attempt, maxAttempts, submittedMs, endedMs, failure }: ListedJob) {
  const failed = failure === undefined ? '' : visible(`${failure.code}: ${failure.message}`);
  const age = durationText(Math.max(0, Date.now() - (endedMs || submittedMs)));
  return {
    cells: [
      jobId, status, type, queue, `${attempt} of ${maxAttempts}`, age,
      failed.length > MOST_SHOWN ? `${failed.slice(0, MOST_SHOWN)}…` : failed,
    ],
    colour: status === 'failed' ? 'red' as const : undefined,
  };
}
