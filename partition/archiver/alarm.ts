/** When a partition's archive has to be looked after, and what is said then. Pure. */

/** What of a journal is on the server. */
export interface JournalSize {
  readonly lastSeq: number;
  readonly messages: number;
  readonly bytes: number;
  /** What may be stored, the limit of the stream or of the account; Infinity if neither has one. */
  readonly mostBytes: number;
}

export interface Alarm {
  readonly why: string;
  readonly code: string;
  /** Since when nothing works, in minutes. */
  readonly minutes: number;
}

/** For one partition. */
export class AlarmClock {
  private failure: { readonly code: string; readonly why: string } | undefined;
  private alarmedMs: number | undefined;

  /** @param wellMs when it was last well */
  constructor(
    private readonly everyMs: number,
    private wellMs: number,
  ) {}

  /** @returns whether there was an alarm before */
  well(nowMs: number): boolean {
    const hadAlarm = this.alarmedMs !== undefined;
    this.wellMs = nowMs;
    this.failure = undefined;
    this.alarmedMs = undefined;
    return hadAlarm;
  }

  /** @returns whether it is the first one of a series */
  failed(code: string, why: string): boolean {
    const isFirst = this.failure?.code !== code;
    this.failure = { code, why };
    return isFirst;
  }

  /** An archive that does not fit to its journal is an alarm at once; a store may come back. */
  due(nowMs: number): Alarm | undefined {
    const { failure, wellMs, alarmedMs, everyMs } = this;
    const sinceMs = alarmedMs ?? (failure?.code === 'ARCHIVE_BROKEN' ? -Infinity : wellMs);
    if (nowMs - sinceMs < everyMs) return undefined;
    this.alarmedMs = nowMs;
    const { code, why } = failure ?? { code: 'TIMED_OUT', why: 'the archiver reports nothing' };
    return { code, why, minutes: Math.round((nowMs - wellMs) / 60_000) };
  }
}

export interface Waiting {
  /** Positions of the journal that are not in the archive, and about how many bytes. */
  readonly positions: number;
  readonly bytes: number;
  /** When the journal reaches its limit if it grows as before; undefined without a limit, or if it does not grow. */
  readonly fullInMinutes?: number;
}

/** @param before an earlier size, and how long ago it was */
export function waitingOf(
  archivedSeq: number, size: JournalSize, before?: { readonly size: JournalSize; readonly agoMs: number },
): Waiting {
  const positions = Math.max(0, size.lastSeq - archivedSeq);
  const bytes = Math.round((size.bytes / Math.max(1, size.messages)) * Math.min(positions, size.messages));
  const grown = before === undefined ? 0 : size.bytes - before.size.bytes;
  if (!Number.isFinite(size.mostBytes) || grown <= 0) return { positions, bytes };
  const leftMs = (Math.max(0, size.mostBytes - size.bytes) / grown) * before!.agoMs;
  return { positions, bytes, fullInMinutes: Math.round(leftMs / 60_000) };
}
