/**
 * Archives the journals that a broker leads, in a process of its own, so that no store, however slow, slows a leader.
 * What goes wrong there is logged here; jobs go on.
 */
import type { Logger } from 'pino';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { AlarmClock, waitingOf, type JournalSize, type Waiting } from './alarm.js';
import { Forked } from './forked.js';
import {
  ARCHIVE_POLICY, type ArchivedHead, type ArchivePolicy, type FromArchiver, type RetentionOrder,
} from './messages.js';

export interface ArchivingOptions {
  readonly url: string;
  readonly ns: Namespace;
  readonly location: string;
  readonly log: Logger;
  readonly policy?: Partial<ArchivePolicy> | undefined;
  sizeOf(partition: Partition): Promise<JournalSize>;
}

/** How often it is looked whether an alarm is due, in an alarm's time. */
const LOOKS = 10;

interface Led {
  readonly clock: AlarmClock;
  /** What its leader knows of retention. */
  readonly retention: () => Promise<RetentionOrder>;
  archived: ArchivedHead | undefined;
  measured: { readonly size: JournalSize; readonly monoMs: number } | undefined;
}

export class Archiving {
  private readonly led = new Map<Partition, Led>();
  private readonly forked: Forked;
  private readonly looking: NodeJS.Timeout;
  private readonly retaining: NodeJS.Timeout;
  private readonly policy: ArchivePolicy;

  constructor(private readonly options: ArchivingOptions) {
    this.policy = { ...ARCHIVE_POLICY, ...options.policy };
    this.forked = new Forked({
      onStarted: () => setImmediate(() => this.begin()),
      onMessage: (message) => this.received(message),
      onDied: (why) => this.died(why),
    });
    this.looking = setInterval(() => this.look(), this.policy.alarmMs / LOOKS).unref();
    this.retaining = setInterval(() => this.retain(), this.policy.retainMs).unref();
  }

  /** Of the process, while there is one. */
  get pid(): number | undefined {
    return this.forked.pid;
  }

  lead(partition: Partition, retention: () => Promise<RetentionOrder>): void {
    const clock = new AlarmClock(this.policy.alarmMs, performance.now());
    this.led.set(partition, { clock, retention, archived: undefined, measured: undefined });
    this.forked.send({ kind: 'lead', partition });
  }

  follow(partition: Partition): void {
    this.led.delete(partition);
    this.forked.send({ kind: 'follow', partition });
  }

  /** The last commit that is in the archive, written and compared; undefined while this is not known. */
  archived(partition: Partition): { readonly seq: number; readonly hash: Uint8Array } | undefined {
    const head = this.led.get(partition)?.archived;
    return head && { seq: head.seq, hash: Buffer.from(head.hash, 'hex') };
  }

  async stop(): Promise<void> {
    clearInterval(this.looking);
    clearInterval(this.retaining);
    this.led.clear();
    await this.forked.stop();
  }

  private begin(): void {
    const { options: { url, ns, location }, policy } = this;
    this.forked.send({ kind: 'begin', url, ns, location, policy });
    for (const partition of this.led.keys()) this.forked.send({ kind: 'lead', partition });
  }

  private received(message: FromArchiver): void {
    const { partition } = message;
    const led = this.led.get(partition);
    if (led === undefined) return;
    const { log, location } = this.options;
    if (message.kind === 'retained') {
      const { firstSeq, removed } = message;
      return log.info({ partition, firstSeq, removed, location }, 'contents are removed from the archive by retention');
    }
    if (message.kind === 'unretained') {
      const { code, message: why } = message;
      return log.warn({ partition, code, why, location }, 'retention could not be applied; trying again');
    }
    if (message.kind === 'failed') {
      const { code, message: why } = message;
      if (led.clock.failed(code, why)) {
        log.warn({ partition, code, why, location }, 'the journal is not archived at the moment');
        void this.waiting(partition, led);
      }
      this.look();
      return;
    }
    if (message.kind === 'archived') {
      const isFirst = led.archived === undefined;
      led.archived = message.head;
      log.debug({ partition, seq: message.head.seq }, 'archived');
      // It was read only: nothing was written yet.
      if (isFirst) return;
    }
    if (led.clock.well(performance.now())) log.info({ partition, location }, 'the journal is archived again');
  }

  /** A leader that ends meanwhile is followed by one that asks again. */
  private retain(): void {
    for (const [partition, led] of this.led) {
      const send = (order: RetentionOrder): void => {
        if (this.led.get(partition) === led) this.forked.send({ kind: 'retain', partition, order });
      };
      led.retention().then(send, () => undefined);
    }
  }

  private died(why: string): void {
    this.options.log.warn({ why }, 'the archiver is started again');
    for (const { clock } of this.led.values()) clock.failed('SERVER_FAILED', why);
  }

  private look(): void {
    const { log, location } = this.options;
    for (const [partition, led] of this.led) {
      const alarm = led.clock.due(performance.now());
      if (alarm === undefined) continue;
      const hint = 'Jobs go on, but the journal is not truncated meanwhile: watch the disk of the server.';
      void this.waiting(partition, led).then((waiting) => log.error(
        { partition, ...alarm, location, archivedSeq: led.archived?.seq, waiting, hint }, 'the journal is not archived',
      ));
    }
  }

  private async waiting(partition: Partition, led: Led): Promise<Waiting | undefined> {
    const size = await this.options.sizeOf(partition).catch(() => undefined);
    if (size === undefined) return undefined;
    const monoMs = performance.now();
    const before = led.measured && { size: led.measured.size, agoMs: monoMs - led.measured.monoMs };
    led.measured ??= { size, monoMs };
    return waitingOf(led.archived?.seq ?? 0, size, before);
  }
}
