/** The bounds that everything from outside is held to. Sizes in bytes, times in milliseconds. */
export const LIMITS = {
  /** A commit: events, and bytes (the server's max_payload may be less). */
  commitEvents: 500,
  commitBytes: 512 * 1024,
  /** A job's payload or result. Larger things belong in an object store. */
  payloadBytes: 256 * 1024,
  requestBytes: 1024 * 1024,
  submitJobs: 1_000,
  /** Of the jobs of a partition that have not ended. */
  requirementClasses: 10_000,
  /** Requests in one message. */
  bundleRequests: 1_000,
  /** Of bulks that have not ended, in a partition; and how many jobs one of them changes in a second. */
  openBulks: 20,
  bulkPerSecond: 1_000,
  /** In one page of the list of queues. */
  listedQueues: 1_000,
  /** In one page of the list of workers. */
  listedWorkers: 1_000,
  /** Of each partition. Workers that are not registered there are among them. */
  cordonedWorkers: 10_000,
  /** How often an attempt of a job may be handed back before it counts. */
  returns: 100,
  /** In one page of the list of jobs. */
  listedJobs: 1_000,
  /** Of each partition. */
  listedActors: 1_000,
  /** Of each partition, and in one list of them. */
  retentionSettings: 1_000,
  /** Queues and groups with settings, of each partition. */
  queuesWithSettings: 1_000,
  /** Of one queue, encoded. */
  settingsBytes: 64 * 1024,
  concurrency: 1_000_000,
  rateCount: 1_000_000,
  weight: 1_000,
  /** Weights of a queue, and values of one rule of its priority policy. */
  weights: 1_000,
  priorityRules: 32,
  ageingPerMinute: 1_000_000,
  failedKept: 100_000,
  /** A century. */
  contentMs: 100 * 366 * 24 * 3_600_000,
  pullReports: 1_000,
  free: 10_000,
  keyBytes: 256,
  commandIdBytes: 128,
  labels: 32,
  labelBytes: 256,
  nonRetryable: 32,
  /** In a list of waits between attempts. */
  backoffWaits: 64,
  typesPerWorker: 256,
  queuesPerWorker: 256,
  reasonBytes: 1_024,
  /** Of a filter of jobs: its text, and the values in it. */
  filterBytes: 8_192,
  filterValues: 200,
  /** Of the name that a client gives itself. */
  principalBytes: 128,
  contentTypeBytes: 128,
  softwareBytes: 128,
  failureCodeBytes: 128,
  backoffFactor: 100,
  failureMessageBytes: 4_096,
  failureStackBytes: 8_192,
  /** Any whole number of 32 bits. */
  leastPriority: -(2 ** 31),
  mostPriority: 2 ** 31 - 1,
  maxAttempts: 1_000,
  maxCrashes: 1_000,
  /** A year: delays, backoffs and time-outs beyond are mistakes. */
  delayMs: 366 * 24 * 3_600_000,
  heartbeatMinMs: 500,
  waitMs: 3_600_000,
  pullExpiresMs: 5_000,
} as const;

export const DEFAULTS = {
  queue: 'default',
  maxAttempts: 3,
  maxCrashes: 3,
  backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0.1 },
  attemptMs: 30 * 60_000,
  heartbeatMs: 15_000,
  keyTtlMs: 3_600_000,
  /** Of each queue, with the leader. */
  failedKept: 1_000,
  waitMs: 30_000,
  listedJobs: 100,
  bulkPerSecond: 100,
} as const;
