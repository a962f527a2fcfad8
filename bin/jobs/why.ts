/** `reprise jobs why` */
import { whyWaiting, type Reason } from '../../sdk/why.js';
import { print, visible } from '../terminal.js';
import { targetOf, withClient, type JobFlags } from './client.js';
import { statusText } from './show-values.js';

export async function runWhy(id: string | undefined, flags: JobFlags): Promise<void> {
  const target = targetOf(id, flags);
  await withClient(flags, async (client) => {
    const why = await whyWaiting(client, target);
    if (flags.json) return print(JSON.stringify(why));
    print(`${why.jobId} ${statusText(why.status)}`);
    if (why.reasons.length === 0) print('  nothing keeps it: the next pull of a worker that can do it gets it');
    for (const reason of why.reasons) for (const line of linesOf(reason)) print(line);
  });
}

function* linesOf({ code, message, places, jobs }: Reason): Generator<string> {
  yield `  ${code.padEnd(16)} ${visible(message)}`;
  for (const { worker, workers, ahead } of places ?? []) {
    const others = (workers ?? 1) - 1;
    yield `${' '.repeat(19)}at ${worker}${others > 0 ? ` and ${others} like it` : ''}: place ${(ahead ?? 0) + 1}`;
  }
  if (jobs?.length) yield `${' '.repeat(19)}held by ${jobs.join(', ')}`;
}
