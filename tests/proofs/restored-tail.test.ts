/** A namespace that is restored from its snapshot on: what is before is in the backup, which is its archive then. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startBroker } from '../../gateways/nats/broker.js';
import type { Namespace } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import { startServer } from '../../streams/server/start.js';
import { quiet } from '../broker.js';
import { run, startDev } from '../command/rig.js';

t.test('ended jobs before the snapshot are found in the archive, and the live ones go on', async (t) => {
  const dev = await startDev(t);
  const client = await dev.client();
  const square = (n: number) => client.submit([{ type: 'square', payload: { n } }], { wait: true });
  const old = (await Promise.all(Array.from({ length: 20 }, (_, n) => square(n)))).flat();
  const [delayed] = await client.submit([{ type: 'square', payload: { n: 1 }, delayMs: 3_600_000 }]);
  const taken = await dev.run('snapshots', 'take', '--json');
  t.equal(taken.code, 0, taken.stderr);
  const later = (await Promise.all(Array.from({ length: 5 }, (_, n) => square(n)))).flat();
  const location = join(dev.cwd, 'backup');
  const backedUp = await dev.run('backup', location, '--json');
  t.equal(backedUp.code, 0, backedUp.stderr);
  await dev.stop();

  const server = await startServer({ dataDir: join(dev.cwd, 'second') });
  t.teardown(() => server.stop());
  const restored = await run(['restore', location, '--nats', server.brokerUrl, '--json'], { cwd: dev.cwd });
  t.equal(restored.code, 0, restored.stderr);
  const { archive, partitions: [first] } = JSON.parse(restored.stdout) as
    { archive: string; partitions: { firstSeq: number; snapshotSeq: number }[] };
  t.equal(archive, location);
  t.ok(first!.firstSeq > 1 && first!.firstSeq === first!.snapshotSeq, `from ${first!.firstSeq} on`);
  const audit = await run(['audit', 'verify', '--nats', server.brokerUrl, '--archive', archive], { cwd: dev.cwd });
  t.equal(audit.code, 0, audit.stdout + audit.stderr);

  const broker = await startBroker({
    url: server.brokerUrl, namespace: 'default' as Namespace, partitions: 1, version: '0.0.0', log: quiet, archive,
  });
  t.teardown(() => broker.stop());
  await Promise.race([broker.ready, sleep(30_000).then(() => Promise.reject(new Error('no leader')))]);
  const again = await connectClient({ url: server.url, giveUpMs: 30_000 });
  t.teardown(() => again.close());
  for (const { jobId } of [...old, ...later]) t.equal((await again.get({ jobId })).status, 'completed');
  t.equal((await again.get({ jobId: delayed!.jobId })).status, 'scheduled');
});
