/**
 * The journals of every release are decided again. Before inputs were recorded, how an attempt ended is reported as
 * unrecorded; every other decision comes to the bytes that are in the journal.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { KEYRING, newCore } from '../play.js';
import { parseNamespace, type Partition } from '../../protocols/ids.js';
import { Chain } from '../../streams/chain.js';
import { openJournal } from '../../streams/jetstream.js';
import { startServer } from '../../streams/server/start.js';
import { differencesIn } from '../deciding/differences.js';
import { folderOf, readRecording, recordedVersions } from './recording.js';

const WITHOUT_INPUTS = ['0.1.0', '0.2.0'];

for (const version of await recordedVersions()) {
  t.test(`the journals of ${version} are decided again, but for what they do not say`, async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'reprise-journal-'));
    await cp(join(folderOf(version), 'data'), data, { recursive: true });
    const server = await startServer({ dataDir: data });
    t.teardown(async () => {
      await server.stop();
      await rm(data, { recursive: true });
    });
    const { namespace, partitions } = await readRecording(version);
    const differences: string[] = [];
    for (const partition of partitions.keys()) {
      const [ns, of] = [parseNamespace(namespace)!, partition as Partition];
      const source = await openJournal({ url: server.brokerUrl, ns, partition: of });
      const chain = new Chain(of);
      const { state } = newCore(KEYRING, of);
      for await (const stored of source.replay(1)) {
        const accepted = chain.accept(stored);
        if (accepted.kind !== 'commit') continue;
        differences.push(...differencesIn(accepted.bytes, accepted.seq, state, 'contents as well'));
      }
      await source.close();
    }
    const unrecorded = differences.filter((each) => each.endsWith('unrecorded: how the attempt ended'));
    t.equal(unrecorded.length > 0, WITHOUT_INPUTS.includes(version), `${unrecorded.length} are not recorded`);
    t.strictSame(differences.filter((each) => !unrecorded.includes(each)), []);
  });
}
