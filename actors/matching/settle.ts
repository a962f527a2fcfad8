/** Puts a draft in order: refuses what contradicts itself, and leaves out what says nothing more. */
import type { Draft, LabelDraft, Parts } from './draft.js';
import { shown, type Reader } from './reader.js';

/** @throws Invalid with REQUIREMENT_CONTRADICTORY */
export function settle(reader: Reader, draft: Draft): void {
  const contradiction = (path: string, why: string): never =>
    reader.refuse(`require.${path}`, `contradicts itself: ${why}`, 'REQUIREMENT_CONTRADICTORY');
  const { wanted, unwanted } = draft;
  for (const field of ['services', 'models', 'compliance'] as const) {
    for (const each of wanted[field]) {
      if (unwanted[field].has(each)) contradiction(field, `${shown(each)} is wanted, and unwanted in \`not\``);
    }
  }
  settleRegion(wanted, unwanted, contradiction);
  settleHardware(wanted, unwanted, contradiction);
  settleCompat(wanted, unwanted, contradiction);
  for (const [name, label] of draft.labels) settleLabel(label, (why) => contradiction(`labels.${name}`, why));
}

type Contradiction = (path: string, why: string) => never;

/** A worker is in one region: what is unwanted says nothing beside what is wanted. */
function settleRegion(wanted: Parts, unwanted: Parts, contradiction: Contradiction): void {
  if (wanted.region.size === 0) return;
  for (const each of unwanted.region) wanted.region.delete(each);
  if (wanted.region.size === 0) contradiction('region', 'each region that is wanted is unwanted in `not`');
  unwanted.region.clear();
}

/** A worker has one value at a path. */
function settleHardware(wanted: Parts, unwanted: Parts, contradiction: Contradiction): void {
  for (const [path, want] of wanted.hardware) {
    const other = unwanted.hardware.get(path);
    if (other === undefined) continue;
    const areNumbers = typeof want === 'number' && typeof other === 'number';
    if (areNumbers ? other <= want : other === want) {
      const least = areNumbers ? 'at least ' : '';
      contradiction(`hardware.${path}`,
        `${least}${shown(want)} is wanted, and ${least}${shown(other)} is unwanted in \`not\``);
    }
    if (!areNumbers) unwanted.hardware.delete(path);
  }
}

/** Only where the very same is wanted and unwanted: a worker may have a list at a path. */
function settleCompat(wanted: Parts, unwanted: Parts, contradiction: Contradiction): void {
  for (const [path, want] of wanted.compat) {
    const other = unwanted.compat.get(path);
    if (other === undefined) continue;
    // A number asks for at least it, and is not the same as that number in a list.
    const both = typeof want === 'number' || typeof other === 'number'
      ? (want === other ? [want] : [])
      : [want].flat().filter((each) => [other].flat().includes(each));
    if (both.length > 0) contradiction(`compat.positive.${path}`, `${shown(both[0])} is wanted and unwanted`);
  }
}

function settleLabel(label: LabelDraft, contradiction: (why: string) => never): void {
  if (label.exists === false) {
    if (label.in !== undefined) contradiction('the label must have a value, and must not be there');
    label.notIn.clear();
  }
  if (label.in === undefined) return;
  const left = [...label.in].filter((each) => !label.notIn.has(each));
  if (left.length === 0) contradiction('each value that is wanted is unwanted');
  label.in = new Set(left);
  label.notIn.clear();
  label.exists = undefined;
}
