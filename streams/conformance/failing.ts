/** Appends that are not acknowledged as they should be. */
import type { Mishap } from './rigs.js';
import { collect, text, type Spec } from './stage.js';

export const AMBIGUOUS: readonly Mishap[] = [
  'ack lost', 'ack late', 'message lost', 'message late', 'cut before', 'cut after',
];
export const WRITTEN: readonly Mishap[] = ['ack lost', 'ack late', 'cut after'];

export const failing: Record<string, Spec> = {
  'given an acknowledgement that comes twice, then the second one is ignored by the next append': async (t, rig) => {
    const one = await rig.open();
    rig.mishap('ack duplicated');
    t.same(await one.append(text('a'), 0), { kind: 'committed', seq: 1 });
    t.same(await one.append(text('b'), 1), { kind: 'committed', seq: 2 });
    await one.close();
  },
  'given a lost connection, then its handle is closed, rejects every call, and can be reopened': async (t, rig) => {
    const one = await rig.open();
    rig.disconnect();
    await one.closed;
    await t.rejects(one.append(text('a'), 0), { code: 'SERVER_UNREACHABLE' });
    await t.rejects(one.lastSeq(), { code: 'SERVER_UNREACHABLE' });
    await t.rejects(one.read(1), { code: 'SERVER_UNREACHABLE' });
    await t.rejects(collect(one.replay(1)), { code: 'SERVER_UNREACHABLE' });
    const two = await one.reopen();
    t.same(await two.append(text('a'), 0), { kind: 'committed', seq: 1 });
    await two.close();
  },
};
for (const mishap of AMBIGUOUS) {
  failing[`given ${mishap}, then the append is ambiguous and the handle takes no more`] = async (t, rig) => {
    const one = await rig.open();
    rig.mishap(mishap);
    t.match(await one.append(text('a'), 0), { kind: 'ambiguous' });
    await t.rejects(one.append(text('b'), 0), { code: 'SERVER_UNREACHABLE' });
    await rig.arrive();
    const two = await one.reopen();
    const written = WRITTEN.includes(mishap) || mishap === 'message late';
    t.equal(await two.lastSeq(), written ? 1 : 0);
    await two.close();
  };
}
