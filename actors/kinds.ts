/**
 * The cast: every kind of actor that a partition hosts. A kind is a folder beside this file, with its chart, events,
 * decisions, indexes and commands. The core knows kinds from this list only.
 */
import type { CastMember } from './cast.js';
import { bulks } from './bulk/bulk.cast.js';
import { jobs } from './job/job.cast.js';
import { queues } from './queue/queue.cast.js';
import { workers } from './worker/worker.cast.js';

export const KINDS: readonly CastMember[] = [jobs, workers, queues, bulks];
