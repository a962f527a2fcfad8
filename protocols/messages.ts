/** The generated messages, by noun: `journal.Commit`, `job.SubmitJobs`, `worker.Pull`, `error.Error`. */
import { reprise } from './gen/reprise.js';
import { encodeWellFormed } from './utf8.js';

encodeWellFormed();

export import journal = reprise.journal.v1;
export import job = reprise.job.v1;
export import worker = reprise.worker.v1;
export import error = reprise.error.v1;
export import outbox = reprise.outbox.v1;
export import bundle = reprise.bundle.v1;
export import actor = reprise.actor.v1;
export import queue = reprise.queue.v1;
export import retention = reprise.retention.v1;
export import bulk = reprise.bulk.v1;
export import snapshot = reprise.snapshot.v1;
