/** A snapshot that a leader takes is what a replay of the journal folds to. */
import pino from 'pino';
import t, { type Test } from 'tap';
import { KINDS } from '../../actors/kinds.js';
import { stateHash } from '../../actors/rows/parts.js';
import type { JournalId, Partition } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import type { Manifest } from '../../streams/snapshots/manifest.js';
import type { StoredSnapshot } from '../../streams/snapshots/store.js';
import { Play } from '../../tests/play.js';
import { freeze } from '../core/state.js';
import { Snapshotter } from './snapshotter.js';

const DAY_MS = 24 * 3_600_000;

class Taking {
  readonly play = new Play();
  readonly written: Omit<Manifest, 'isVerified'>[] = [];
  readonly snapshotter = new Snapshotter({
    partition: 0 as Partition, kinds: KINDS, release: '', log: pino({ level: 'silent' }),
    clock: { nowMs: () => this.play.nowMs, monoMs: () => 0, draw: () => 0 },
    store: {
      list: async () => [],
      write: async (manifest): Promise<StoredSnapshot> => {
        this.written.push(manifest);
        return { ...manifest, isVerified: true, name: '', bytes: 0 };
      },
      remove: async () => undefined,
    },
  });

  get head(): Head {
    const { commits, nowMs } = this.play;
    const of = { journalId: 'j' as JournalId, partition: 0 as Partition, epoch: 1, minReader: 1 };
    return { ...of, seq: commits.length, hash: Buffer.alloc(32), nowMs };
  }

  /** Of a replay of the journal as it is now. The core of the play has not read the header of a commit. */
  folded(): string {
    const { state } = this.play.replayed();
    Object.assign(this.play.core.state, { journalId: state.journalId, epoch: state.epoch });
    return stateHash(freeze(state)).toString('hex');
  }

  /** A decision throws when it has begun a commit, at a time when what was remembered is forgotten. */
  throwLater(t: Test): void {
    this.play.nowMs += 30 * DAY_MS;
    const cause = { commandId: '', type: 'SetRetention', by: '' };
    const setting = { queue: 'q', contentMs: DAY_MS, unset: false };
    const decide = (): void => this.play.core.step(this.play.moment, (step) => step.setRetention(setting, cause));
    t.throws(decide, { message: /more events than it made room for/ });
  }
}

t.test('given a decision that threw when its commit had begun, then none is taken until the next commit', async (t) => {
  const taking = new Taking();
  const { play, snapshotter } = taking;
  play.submit({ commandId: 'c' });
  taking.folded();
  taking.throwLater(t);
  const asked = snapshotter.ask();
  snapshotter.idle(play.core, taking.head);
  snapshotter.ending(play.core);
  snapshotter.committed(taking.head, 1);
  t.strictSame(taking.written, [], 'the state is that of no commit');

  play.submit();
  const then = taking.folded();
  snapshotter.idle(play.core, taking.head);
  t.match(await asked, { kind: 'taken' });
  await snapshotter.end();
  t.match(taking.written, [{ seq: 2, stateHash: then }]);
});
