/** Two leaders at once. */
import type { Test } from 'tap';
import type { Head } from '../chain.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Rig } from './rigs.js';
import { settle } from '../settle.js';
import type { TakeOverOptions } from '../takeover.js';
import { candidate, checkOneChain, known, lead, next, type Leading, type Spec } from './stage.js';

export const contending: Record<string, Spec> = {};

/** A leader that goes on appending after every fault. @returns the commits that it knows to be written */
async function contend(t: Test, rig: Rig, name: string, draw: () => number): Promise<{ id: string; head: Head }[]> {
  const sure: { id: string; head: Head }[] = [];
  const options = (): TakeOverOptions => candidate({ known: known(...sure.map((each) => each.head)), tries: 20 });
  let now: Leading | undefined;
  for (let i = 0; i < 25; i += 1) {
    try {
      now ??= await lead(t, await rig.open(), options());
      const id = `${name}${i}`;
      const { bytes, at } = next(now.head, id);
      if (draw() < 0.4) rig.mishap(rig.contended[Math.floor(draw() * rig.contended.length)] ?? 'cut before');
      const { head } = now;
      const appended = await now.journal.append(bytes, head.seq);
      if (appended.kind === 'committed') now = { ...now, head: at(appended.seq) };
      const isAmbiguous = appended.kind === 'ambiguous';
      const settled = isAmbiguous ? await settle(now.journal, { bytes, expectedSeq: head.seq }, options()) : undefined;
      if (appended.kind === 'committed' || settled?.written) sure.push({ id, head: at(head.seq + 1) });
      if (settled) t.teardown(() => settled.takenOver.journal.close());
      const taken = settled?.takenOver;
      if (appended.kind !== 'committed') now = taken?.kind === 'leading' ? taken : undefined;
      if (draw() < 0.3) await rig.arrive();
    } catch (error) {
      // A read that the fault cut off. Any other error fails the test.
      if (!(error instanceof RepriseError) || error.code !== 'SERVER_UNREACHABLE') throw error;
      now = undefined;
    }
  }
  return sure;
}

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const ONE_CHAIN = 'given two leaders and broken connections, then one chain has everything acknowledged, once';
contending[ONE_CHAIN] = async (t, rig) => {
  const both = await Promise.all(['a', 'b'].map((name, i) => contend(t, rig, name, seeded(i + 1))));
  await rig.arrive();
  const commits = await checkOneChain(t, rig);
  const ids = commits
    .flatMap((commit) => commit.events.map((event) => event.id ?? ''))
    .filter((id) => /^[ab]/.test(id));
  t.equal(new Set(ids).size, ids.length, 'nothing is there twice');
  const sureIds = both.flatMap((sure) => sure.map((each) => each.id));
  t.ok(sureIds.length > 5, `${sureIds.length} are known to be written`);
  t.same(sureIds.filter((id) => !ids.includes(id)), [], 'everything acknowledged is there');
  const heads = both.flatMap((sure) => sure.map((each) => each.head));
  await lead(t, await rig.open(), candidate({ known: known(...heads) }));
};
