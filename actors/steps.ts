/** What each command does in the core. */
import type { Command } from './inputs.js';
import { awaitJob } from './job/steps/await.js';
import { cancelJob } from './job/steps/cancel.js';
import { getJob } from './job/steps/get.js';
import { submitJobs } from './job/steps/submit.js';
import type { Step } from './step.js';
import { drainWorker } from './worker/steps/drain.js';
import { heartbeat } from './worker/steps/heartbeat.js';
import { pull } from './worker/steps/pull.js';
import { registerWorker } from './worker/steps/register.js';
import { reportAttempts } from './worker/steps/report.js';

export function decide(step: Step, command: Command): void {
  switch (command.kind) {
    case 'submit': return submitJobs(step, command);
    case 'get': return getJob(step, command);
    case 'await': return awaitJob(step, command);
    case 'cancel': return cancelJob(step, command);
    case 'register': return registerWorker(step, command);
    case 'pull': return pull(step, command);
    case 'report': return reportAttempts(step, command);
    case 'heartbeat': return heartbeat(step, command);
    case 'drain': return drainWorker(step, command);
    default: return command satisfies never;
  }
}
