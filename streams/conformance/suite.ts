/** What every journal must do. One suite, run against both implementations. */
import type { Test } from 'tap';
import type { MakeRig } from './rigs.js';
import { appending } from './appending.js';
import { contending } from './contending.js';
import { failing } from './failing.js';
import { leading } from './leading.js';
import { settling } from './settling.js';

const bounds = async (t: Test, makeRig: MakeRig): Promise<void> => {
  const rig = await makeRig({ maxBytes: 20_000 });
  t.teardown(() => rig.close());
  const one = await rig.open();
  t.match(await one.append(new Uint8Array(15_000), 0), { kind: 'committed' });
  t.match(await one.append(new Uint8Array(15_000), 1), { kind: 'refused', why: 'full' });
  t.match(await one.append(new Uint8Array(100), 1), { kind: 'committed', seq: 2 }, 'a refused message is not stored');
  await one.close();
};

export function conformance(t: Test, name: string, makeRig: MakeRig): void {
  for (const [says, spec] of Object.entries({ ...appending, ...failing, ...leading, ...settling, ...contending })) {
    void t.test(`${name}: ${says}`, async (t) => {
      const rig = await makeRig();
      t.teardown(() => rig.close());
      await spec(t, rig);
    });
  }
  const full = 'given a journal that is full, then it refuses the append and drops nothing';
  void t.test(`${name}: ${full}`, (t) => bounds(t, makeRig));
}
