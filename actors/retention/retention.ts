/** For how long the archive keeps contents of ended jobs, by queue, with a default. A setting is a recorded fact. */

export interface RetentionChange {
  /** Empty: the default, of all queues without a setting of their own. */
  readonly queue: string;
  /** Since the end of the job; 0: for ever. */
  readonly contentMs: number;
  /** The setting is forgotten: the queue follows the default. */
  readonly unset: boolean;
}

export interface RetentionSetting extends Omit<RetentionChange, 'unset'> {
  /** The principal as claimed. */
  readonly by: string;
  readonly sinceMs: number;
}

/** What steps may read of them. In the order in which they were first set. */
export interface RetentionReading extends Iterable<RetentionSetting> {
  readonly size: number;
  get(queue: string): RetentionSetting | undefined;
  /** Of a queue: its own setting, or the default; 0: for ever. */
  contentMs(queue: string): number;
}
