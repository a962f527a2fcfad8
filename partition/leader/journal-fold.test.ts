/** Where a take-over begins: at the newest snapshot that can be used, at an earlier one, or at the journal's beginning. */
import pino from 'pino';
import t, { type Test } from 'tap';
import { stateHash } from '../../actors/rows/parts.js';
import { KINDS } from '../../actors/kinds.js';
import { journalId, type Partition } from '../../protocols/ids.js';
import { MemoryObjects } from '../../streams/snapshots/conformance/objects.js';
import { metadataOf, type Manifest } from '../../streams/snapshots/manifest.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { takeOver } from '../../streams/takeover.js';
import { KEYRING } from '../../tests/play.js';
import { Faults } from '../../tests/truncating/faults.js';
import { Life, Outliving } from '../../tests/truncating/stage.js';
import { freeze } from '../core/state.js';
import { Fold } from './journal-fold.js';

const P0 = 0 as Partition;
const options = {
  partition: P0, kinds: KINDS, keyring: KEYRING, maxCommitBytes: 500_000, release: '0.0.0', followers: [],
  log: pino({ level: 'silent' }),
};

/** A journal with three snapshots. */
async function staged(t: Test) {
  const outliving = new Outliving();
  const life = await Life.begin(outliving, new Faults(Infinity, 'fails before'));
  for (let nth = 0; nth < 3; nth += 1) {
    await life.submit();
    await life.snapshot();
  }
  await life.end();
  const { objects, stream } = outliving;
  const store = new SnapshotStore(objects);
  const resumed = async (upToSeq = Infinity): Promise<number | undefined> => {
    const fold = new Fold(options);
    await fold.resume(store, upToSeq);
    if (fold.snapshot === undefined) t.equal(fold.core.state.seq, 0, 'nothing is left of what was tried');
    return fold.snapshot?.seq;
  };
  return { objects, stream, store, resumed, seqs: (await store.list(P0)).map(({ seq }) => seq) };
}

function change(objects: MemoryObjects, name: string, manifest: Manifest, body = objects.held.get(name)!.body): void {
  objects.held.set(name, { metadata: metadataOf(manifest), body });
}

const table: [string, (manifest: Manifest) => Manifest, ((body: Buffer) => Buffer)?][] = [
  ['not verified', (of) => ({ ...of, isVerified: false })],
  ['broken', (of) => of, (body) => body.subarray(0, -1)],
  ['another state', (of) => ({ ...of, stateHash: '0'.repeat(64) })],
  ['of a newer layout', (of) => ({ ...of, version: of.version + 1 })],
  ['for newer readers', (of) => ({ ...of, minReader: 1_000 })],
];

for (const [what, of, bodyOf = (body: Buffer): Buffer => body] of table) {
  t.test(`given snapshots that are ${what}, then the one before is used, and the journal in the end`, async (t) => {
    const { objects, store, resumed, seqs } = await staged(t);
    t.equal(await resumed(), seqs[0]);
    for (const [nth, { name, bytes: _, ...manifest }] of (await store.list(P0)).entries()) {
      change(objects, name, of(manifest), bodyOf(objects.held.get(name)!.body));
      t.equal(await resumed(), seqs[nth + 1], `${nth + 1} of them`);
    }
  });
}

t.test('a snapshot after the position that is in doubt is not used', async (t) => {
  const { resumed, seqs } = await staged(t);
  t.equal(await resumed(seqs[0]! - 1), seqs[1]);
  t.equal(await resumed(seqs[2]! - 1), undefined);
});

t.test('given a snapshot of another journal, then nobody leads with its state', async (t) => {
  const { store } = await staged(t);
  const other = await staged(t);
  const fold = new Fold(options);
  await fold.resume(store, Infinity);
  t.ok(fold.snapshot, 'it looks like one of ours');
  const taken = takeOver(await other.stream.open(), {
    known: [{ ...fold.snapshot!, from: 'a snapshot' }], begin: fold.begin, broker: 'test', nowMs: () => Date.now(),
    journalId: () => journalId(new Uint8Array(10)), leaderId: () => 'l', onCommit: () => void t.fail('a commit was folded'),
  });
  await t.rejects(taken, { code: 'JOURNAL_REGRESSED' });
});

t.test('what is resumed is the state that was frozen', async (t) => {
  const { store } = await staged(t);
  const fold = new Fold(options);
  await fold.resume(store, Infinity);
  const [newest] = await store.list(P0);
  t.equal(stateHash(freeze(fold.core.state)).toString('hex'), newest!.stateHash);
});
