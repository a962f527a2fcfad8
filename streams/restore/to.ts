/** How far a namespace is restored. Alone in a file, so that the command line loads nothing else. */

export type To =
  /** What the newest backup reaches. */
  | { readonly kind: 'backup' }
  /** Everything in the store, also what an archiver wrote since the backup. */
  | { readonly kind: 'end' }
  | { readonly kind: 'position'; readonly partition: number; readonly seq: number }
  /** In Unix milliseconds. */
  | { readonly kind: 'time'; readonly nowMs: number };

/** `end`, `<partition>:<position>` or a time such as `2026-03-01T12:00:00Z`. @returns undefined for anything else */
export function parseTo(text: string): To | undefined {
  if (text === 'end') return { kind: 'end' };
  const [, partition, seq] = /^(\d{1,3}):(\d{1,15})$/.exec(text) ?? [];
  if (partition !== undefined) return { kind: 'position', partition: Number(partition), seq: Number(seq) };
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const nowMs = isIso ? Date.parse(text) : Number.NaN;
  return Number.isNaN(nowMs) ? undefined : { kind: 'time', nowMs };
}
