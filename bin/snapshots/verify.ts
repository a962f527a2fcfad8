/** `reprise snapshots verify` */
import { KINDS } from '../../actors/kinds.js';
import { isReadable, verifySnapshots, type SnapshotFinding } from '../../audit/snapshots.js';
import { openJournal } from '../../streams/jetstream.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { ageText, sizeText } from '../figures.js';
import { Progress } from '../progress.js';
import { onServer } from '../server.js';
import { note, paint, print, visible } from '../terminal.js';
import { partitionsOf, type VerifyFlags } from './flags.js';
import { snapshotJson } from './lines.js';
import { NONE } from './list.js';

export async function runVerify(flags: VerifyFlags): Promise<void> {
  const findings = await verifyAll(flags);
  const ok = findings.every(({ problem }) => problem === undefined);
  if (flags.json) print(JSON.stringify({ ok, snapshots: findings.map(jsonOf) }));
  else for (const finding of findings) print(lineOf(finding, flags, Date.now()));
  if (findings.length === 0 && !flags.json) note(NONE);
  if (ok) return;
  process.exitCode = 1;
  note(`${paint('cyan', 'hint:', process.stderr)} ${HINT}`);
}

const HINT =
  'A broker passes over a broken snapshot and uses an older one, or the journal, so nothing is lost. ' +
  'Check the journal by `reprise audit verify`, then take a new one by `reprise snapshots take`.';

async function verifyAll(flags: VerifyFlags): Promise<SnapshotFinding[]> {
  const progress = new Progress();
  const kinds = flags.fold ? KINDS : undefined;
  return await onServer(flags, 'snapshots', async (at) => {
    const store = new SnapshotStore(new Objects(at.nc, at.namespace));
    const findings: SnapshotFinding[] = [];
    for (const partition of await partitionsOf(at, flags.partition)) {
      const journal = await openJournal({ url: at.url, ns: at.namespace, partition });
      try {
        findings.push(...(await verifySnapshots({
          store, journal, kinds, onProgress: (text) => progress.show(text),
        })));
      } finally {
        await journal.close();
        progress.clear();
      }
    }
    return findings;
  });
}

function lineOf({ snapshot, problem, ...compared }: SnapshotFinding, flags: VerifyFlags, nowMs: number): string {
  const { partition, seq, takenMs, bytes, isVerified } = snapshot;
  const which = `partition ${partition}: position ${seq}, ${ageText(takenMs, nowMs)} old, ${sizeText(bytes)}`;
  if (problem !== undefined) return `${paint('red', 'bad')}   ${which}: ${visible(problem)}`;
  if (!isVerified) return `${paint('yellow', 'skip')}  ${which}: being written, or left half written; not used`;
  return `${paint('green', 'ok')}    ${which}: ${comparedWith(snapshot, compared, flags).join(', ')}`;
}

function comparedWith(
  snapshot: SnapshotFinding['snapshot'], { commit, fold }: Pick<SnapshotFinding, 'commit' | 'fold'>, flags: VerifyFlags,
): string[] {
  const said = ['whole', commit === 'there' ? 'its commit is in the journal' : 'its commit was truncated'];
  if (!flags.fold) return said;
  if (fold === 'same') return [...said, 'folding on gives the same hash'];
  if (fold === 'base') return [...said, 'the fold of the newer ones began with it'];
  const why = isReadable(snapshot) ? 'the journal begins after it' : `it is of the newer release ${snapshot.release}`;
  return [...said, `not folded: ${visible(why)}`];
}

function jsonOf({ snapshot, problem, commit, fold }: SnapshotFinding): object {
  return { ...snapshotJson(snapshot), ok: problem === undefined, problem, commit, fold };
}
