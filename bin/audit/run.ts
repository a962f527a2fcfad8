/** `reprise audit verify` */
import type { VerifyFlags } from '../commands/audit.js';
import { locateForBroker } from '../locate.js';
import { note, paint, print } from '../terminal.js';
import { verifyFolder } from '../../audit/folder.js';
import type { Finding } from '../../audit/partition.js';
import { verifyServer } from '../../audit/server.js';

export async function runVerify(flags: VerifyFlags): Promise<void> {
  const findings = flags.data === undefined ? await onServer(flags) : await verifyFolder(flags.data);
  const ok = findings.every((finding) => finding.ok);
  if (flags.json) print(JSON.stringify({ ok, partitions: findings }));
  else for (const finding of findings) print(lineOf(finding));
  if (ok) return;
  process.exitCode = 1;
  note(`${paint('cyan', 'hint:', process.stderr)} Keep the data folder as it is, and restore a backup or the copy of another server.`);
}

function onServer(flags: VerifyFlags): Promise<Finding[]> {
  const { url, namespace } = locateForBroker(flags);
  return verifyServer(url, namespace);
}

function lineOf({ namespace, partition, ok, commits, head, foreign, foreignHeads, vouchers, position, problem }: Finding): string {
  const name = `${namespace} partition ${partition}:`;
  const strangers = foreign + foreignHeads > 0 ? `, ${foreign + foreignHeads} messages of strangers skipped` : '';
  const vouched = vouchers.map(({ from, seq }) => `${from} to ${seq}`).join(', ') || 'nothing';
  if (ok) return `${paint('green', 'ok')}   ${name} ${commits} commits, head ${head?.seq ?? 0}; vouched for by ${vouched}${strangers}`;
  const where = position === undefined ? '' : ` position ${position}:`;
  return `${paint('red', 'bad')}  ${name}${where} ${problem ?? ''} (${commits} commits ${position === undefined ? 'are whole' : 'before it are whole'}${strangers})`;
}
