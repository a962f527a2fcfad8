/** Appending, reading and replaying. */
import type { Stored } from '../journal.js';
import { collect, text, type Spec } from './stage.js';

export const appending: Record<string, Spec> = {
  'given an empty journal, then its end is 0 and a replay gives nothing': async (t, rig) => {
    const one = await rig.open();
    t.equal(await one.lastSeq(), 0);
    t.same(await collect(one.replay(1)), []);
    t.equal(await one.read(1), undefined);
    await one.close();
  },
  'given two handles, when one is behind, then the fence refuses its appends alone': async (t, rig) => {
    const [one, two] = [await rig.open(), await rig.open()];
    t.same(await one.append(text('a'), 0), { kind: 'committed', seq: 1 });
    t.match(await two.append(text('b'), 0), { kind: 'refused', why: 'fenced' });
    t.same(await one.append(text('c'), 1), { kind: 'committed', seq: 2 });
    t.match(await two.append(text('d'), 7), { kind: 'refused', why: 'fenced' }, 'a later sequence is refused as well');
    t.equal(await two.lastSeq(), 2);
    await one.close();
    await two.close();
  },
  'given an append in flight, when there is a second, then it is an error of the caller': async (t, rig) => {
    const one = await rig.open();
    const first = one.append(text('a'), 0);
    await t.rejects(async () => one.append(text('b'), 1), { code: 'ERR_ASSERTION' });
    t.match(await first, { kind: 'committed' });
    await one.close();
  },
  'given messages small and large, then a replay gives them in order from any position': async (t, rig) => {
    const one = await rig.open();
    const written = Array.from({ length: 40 }, (_, i) => new Uint8Array(i % 4 === 0 ? 300_000 : 20).fill(i));
    for (const [i, bytes] of written.entries()) await one.append(bytes, i);
    for (const from of [1, 2, 20, 40, 41, 99]) {
      const read = await collect(one.replay(from));
      t.same(read.map((message) => message.seq), written.map((_, i) => i + 1).slice(from - 1), `from ${from}`);
      const isSame = ({ seq, bytes }: Stored): boolean => Buffer.from(bytes).equals(written[seq - 1]!);
      t.ok(read.every(isSame), 'bytes are equal');
    }
    t.same(Buffer.from((await one.read(5))?.bytes ?? []), Buffer.from(written[4] ?? []));
    t.equal(await one.read(41), undefined);
    await one.close();
  },
  'when it is truncated, then it begins later, and goes on where it was': async (t, rig) => {
    const one = await rig.open();
    t.match(await one.end(), { firstSeq: 1, lastSeq: 0 });
    for (let i = 0; i < 5; i += 1) await one.append(text(`m${i}`), i);
    await one.truncate(4);
    t.match(await one.end(), { firstSeq: 4, lastSeq: 5 });
    await one.truncate(2);
    t.same((await collect(one.replay(1))).map((message) => message.seq), [4, 5]);
    t.equal(await one.read(3), undefined);
    t.same(await one.append(text('m5'), 5), { kind: 'committed', seq: 6 });
    await one.truncate(7);
    t.match(await one.end(), { firstSeq: 7, lastSeq: 6 }, 'nothing is left');
    await one.close();
  },
  'given a missing message, then a replay and a read skip it': async (t, rig) => {
    const one = await rig.open();
    for (let i = 0; i < 4; i += 1) await one.append(text(`m${i}`), i);
    for (const seq of [2, 4]) await rig.vanish(seq);
    t.same((await collect(one.replay(1))).map((message) => message.seq), [1, 3]);
    t.equal(await one.read(2), undefined);
    t.equal(await one.lastSeq(), 4, 'the end stays where it was');
    await one.close();
  },
};
