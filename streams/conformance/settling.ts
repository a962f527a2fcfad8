/** Settling an ambiguous append by the barrier: the LeaderStarted commit of the next take-over. */
import { settle } from '../settle.js';
import { candidate, known, lead, next, type Spec } from './stage.js';
import { AMBIGUOUS, WRITTEN } from './failing.js';

export const settling: Record<string, Spec> = {};
for (const mishap of AMBIGUOUS) {
  const written = WRITTEN.includes(mishap);
  settling[`given ${mishap}, when it is settled, then it was ${written ? '' : 'not '}written`] = async (t, rig) => {
    const { journal: mine, head } = await lead(t, await rig.open());
    const { bytes, at } = next(head, 'pending');
    rig.mishap(mishap);
    t.match(await mine.append(bytes, head.seq), { kind: 'ambiguous' });
    const options = candidate({ known: known(head) });
    const settled = await settle(mine, { bytes, expectedSeq: head.seq }, options);
    t.teardown(() => settled.takenOver.journal.close());
    t.match(settled, { written, takenOver: { kind: 'leading', head: { seq: written ? 3 : 2, epoch: 2 } } });
    if (written) t.same(options.heads[1], at(2));
    await rig.arrive();
    t.equal(await settled.takenOver.journal.lastSeq(), written ? 3 : 2, 'nothing arrives behind the barrier');
  };
}
settling['given a message that arrives before it is settled, then it was written'] = async (t, rig) => {
  const { journal: mine, head } = await lead(t, await rig.open());
  const { bytes } = next(head, 'pending');
  rig.mishap('message late');
  t.match(await mine.append(bytes, head.seq), { kind: 'ambiguous' });
  await rig.arrive();
  const settled = await settle(mine, { bytes, expectedSeq: head.seq }, candidate());
  t.teardown(() => settled.takenOver.journal.close());
  t.equal(settled.written, true);
};
settling['given that another leader wrote in its place, then it was not written'] = async (t, rig) => {
  const { journal: mine, head } = await lead(t, await rig.open());
  const { bytes } = next(head, 'pending');
  rig.mishap('message lost');
  t.match(await mine.append(bytes, head.seq), { kind: 'ambiguous' });
  await lead(t, await rig.open());
  const settled = await settle(mine, { bytes, expectedSeq: head.seq }, candidate());
  t.teardown(() => settled.takenOver.journal.close());
  t.match(settled, { written: false, takenOver: { kind: 'leading', head: { epoch: 3 } } });
};
