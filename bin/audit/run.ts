/** `reprise audit verify` */
import type { VerifyFlags } from '../commands/audit.js';
import { locateForBroker } from '../locate.js';
import { note, paint, print, visible } from '../terminal.js';
import { verifyFolder } from '../../audit/folder.js';
import type { Finding } from '../../audit/partition.js';
import { verifyServer } from '../../audit/server.js';

export async function runVerify(flags: VerifyFlags): Promise<void> {
  const findings = flags.data === undefined ? await onServer(flags) : await verifyFolder(flags.data);
  const ok = findings.every((finding) => finding.ok);
  if (flags.json) print(JSON.stringify({ ok, partitions: findings }));
  else for (const finding of findings) for (const line of linesOf(finding)) print(line);
  if (ok) return;
  process.exitCode = 1;
  note(`${paint('cyan', 'hint:', process.stderr)} Keep the data folder as it is, and restore a backup or the copy of another server.`);
}

function onServer(flags: VerifyFlags): Promise<Finding[]> {
  const { url, namespace } = locateForBroker(flags);
  return verifyServer(url, namespace);
}

/** Of removed contents; all of them are in the JSON. */
const REMOVED_PRINTED = 10;

function* linesOf(finding: Finding): Generator<string> {
  yield lineOf(finding);
  const { removed, removedContents } = finding;
  if (removed === 0) return;
  const shown = removedContents.slice(0, REMOVED_PRINTED);
  yield `     contents removed: ${removed}`;
  for (const { seq, index, type, id, bytes } of shown) yield `       ${seq}.${index} ${type} ${visible(id)} (${bytes} bytes)`;
  if (removed > shown.length) yield `       and ${removed - shown.length} more; see --json`;
}

function lineOf({ namespace, partition, ok, commits, head, foreign, foreignHeads, vouchers, changed, position, problem }: Finding): string {
  const name = `${namespace} partition ${partition}:`;
  const strangers = foreign + foreignHeads > 0 ? `, ${foreign + foreignHeads} messages of strangers skipped` : '';
  const vouched = vouchers.map(({ from, seq }) => `${from} to ${seq}`).join(', ') || 'nothing';
  if (ok) return `${paint('green', 'ok')}   ${name} ${commits} commits, head ${head?.seq ?? 0}; vouched for by ${vouched}${strangers}`;
  const where = position === undefined ? '' : ` position ${position}:`;
  const extent = changed > 0 ? `contents changed in ${changed} of ${commits} commits` : `${commits} commits ${position === undefined ? 'are whole' : 'before it are whole'}`;
  return `${paint('red', 'bad')}  ${name}${where} ${problem ?? ''} (${extent}${strangers})`;
}
