/** All commands. A new one is a file and a line here. */
import { list as listActors } from './actor/commands/list.js';
import { repair } from './actor/commands/repair.js';
import { go } from './bulk/commands/go.js';
import { show as showBulk } from './bulk/commands/show.js';
import { start } from './bulk/commands/start.js';
import { stop } from './bulk/commands/stop.js';
import type { Command } from './command.js';
import { nameOf } from './command.js';
import { awaitEnd } from './job/commands/await.js';
import { cancel } from './job/commands/cancel.js';
import { get } from './job/commands/get.js';
import { list as listJobs } from './job/commands/list.js';
import { discard } from './job/commands/discard.js';
import { reprioritize } from './job/commands/reprioritize.js';
import { retry } from './job/commands/retry.js';
import { submit } from './job/commands/submit.js';
import { why } from './job/commands/why.js';
import { list } from './queue/commands/list.js';
import { pause } from './queue/commands/pause.js';
import { resume } from './queue/commands/resume.js';
import { set as setQueue } from './queue/commands/set.js';
import { stats } from './queue/commands/stats.js';
import { list as listRetention } from './retention/commands/list.js';
import { set } from './retention/commands/set.js';
import { take } from './snapshot/commands/take.js';
import { cordon } from './worker/commands/cordon.js';
import { drain } from './worker/commands/drain.js';
import { get as getWorker } from './worker/commands/get.js';
import { heartbeat } from './worker/commands/heartbeat.js';
import { list as listWorkers } from './worker/commands/list.js';
import { pull } from './worker/commands/pull.js';
import { register } from './worker/commands/register.js';
import { report } from './worker/commands/report.js';
import { retire } from './worker/commands/retire.js';
import { uncordon } from './worker/commands/uncordon.js';

const ALL = [
  submit, get, awaitEnd, cancel, why, listJobs, retry, discard, reprioritize,
  register, pull, report, heartbeat, drain,
  listWorkers, getWorker, cordon, uncordon, retire,
  pause, resume, setQueue, stats, list,
  start, go, stop, showBulk,
  take,
  set, listRetention,
  listActors, repair,
] as const;

export const COMMANDS: readonly Command[] = ALL;

/** The verbs of a noun, for the compiler: `VerbOf<'worker'>`. */
export type VerbOf<Noun extends string> = Extract<(typeof ALL)[number], { readonly noun: Noun }>['verb'];

const byName: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [nameOf(command), command]));

/** @param name `<noun>.<verb>` */
export const commandOf = (name: string): Command | undefined => byName.get(name);
