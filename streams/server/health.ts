/** Whether a server is healthy, by its monitoring address, and whether its disk has room. */
import { statfs } from 'node:fs/promises';

/** With less than this a server is neither started nor restarted: it could not even write its log. */
export const ROOM_BYTES = 4 * 1024 * 1024;
const ANSWER_WITHIN_MS = 5_000;

export interface Health {
  readonly ok: boolean;
  /** The error that the server reports; empty when it is healthy or does not reply. */
  readonly says: string;
}

export async function healthOf(monitoringUrl: string, gone?: AbortSignal): Promise<Health> {
  const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const answer = await fetch(`${monitoringUrl}/healthz`, { signal: gone ? AbortSignal.any([gone, late]) : late });
    const { error } = (await answer.json()) as { error?: string };
    return { ok: answer.ok, says: error ?? '' };
  } catch {
    return { ok: false, says: '' };
  }
}

/** After a failed write a stream stores nothing more until the server is restarted, even once there is room again. */
export const isWriteError = ({ says }: Health): boolean => says.includes('write error');

/** Bytes that this user may still write to the file system of a folder. */
export async function roomIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
