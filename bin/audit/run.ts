/** `reprise audit verify` */
import type { Where } from '../arguments.js';
import { locateForBroker } from '../locate.js';
import { note, paint, print, visible } from '../terminal.js';
import { verifyFolder } from '../../audit/folder.js';
import type { Finding } from '../../audit/partition.js';
import { verifyServer } from '../../audit/server.js';

export interface VerifyFlags extends Where {
  readonly data?: string;
  readonly archive?: string;
  readonly json?: true;
}

export async function runVerify(flags: VerifyFlags): Promise<void> {
  const findings = flags.data === undefined ? await onServer(flags) : await verifyFolder(flags.data, flags.archive);
  const ok = findings.every((finding) => finding.ok);
  if (flags.json) print(JSON.stringify({ ok, partitions: findings }));
  else for (const finding of findings) for (const line of linesOf(finding)) print(line);
  if (ok) return;
  process.exitCode = 1;
  const hint = 'Keep the data folder as it is, and restore a backup or the copy of another server.';
  note(`${paint('cyan', 'hint:', process.stderr)} ${hint}`);
}

function onServer(flags: VerifyFlags): Promise<Finding[]> {
  const { url, namespace } = locateForBroker(flags);
  return verifyServer(url, namespace, { archive: flags.archive });
}

/** Of removed contents; all of them are in the JSON. */
const REMOVED_PRINTED = 10;

function* linesOf(finding: Finding): Generator<string> {
  yield lineOf(finding);
  const { removed, removedContents, beginning } = finding;
  if (beginning !== undefined) {
    yield `     begins at ${beginning.seq}; for what was before: ${beginning.vouchedBy.join(', ') || 'nothing'}`;
    for (const unchecked of beginning.unchecked) yield `       ${unchecked}`;
  }
  if (removed === 0) return;
  const shown = removedContents.slice(0, REMOVED_PRINTED);
  yield `     contents removed: ${removed}`;
  for (const { seq, index, type, id, bytes } of shown) {
    yield `       ${seq}.${index} ${type} ${visible(id)} (${bytes} bytes)`;
  }
  if (removed > shown.length) yield `       and ${removed - shown.length} more; see --json`;
}

function lineOf(finding: Finding): string {
  const { namespace, partition, ok, commits, head, foreign, foreignHeads, knownHeads, position, problem } = finding;
  const name = `${namespace} partition ${partition}:`;
  const skipped = foreign + foreignHeads > 0 ? `, ${foreign + foreignHeads} foreign messages skipped` : '';
  const known = knownHeads.map(({ from, seq }) => `${from} to ${seq}`).join(', ') || 'nothing';
  if (ok) {
    const whole = `${commits} commits, head ${head?.seq ?? 0}; confirmed by known heads of ${known}${skipped}`;
    return `${paint('green', 'ok')}   ${name} ${whole}`;
  }
  const where = position === undefined ? '' : ` position ${position}:`;
  return `${paint('red', 'bad')}  ${name}${where} ${problem ?? ''} (${extentOf(finding)}${skipped})`;
}

function extentOf({ changed, commits, position }: Finding): string {
  if (changed > 0) return `contents changed in ${changed} of ${commits} commits`;
  return `${commits} commits ${position === undefined ? 'are whole' : 'before it are whole'}`;
}
