/** The .proto files are held to those of every release: a field may be added, none may change its meaning. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { breakingChanges, PROTOCOLS } from './protocols.js';
import { recordedVersions } from './recording.js';

for (const version of await recordedVersions()) {
  t.test(`what was written with the messages of ${version} can be read with those of now`, async (t) => {
    t.equal(await breakingChanges(PROTOCOLS, version), '');
  });
}

t.test('a change that breaks is named', async (t) => {
  const copy = await mkdtemp(join(tmpdir(), 'reprise-protocols-'));
  t.teardown(() => rm(copy, { recursive: true }));
  await cp(PROTOCOLS, copy, { recursive: true, filter: (path) => !/\.[a-z]+$/.test(path) || path.endsWith('.proto') });
  const path = join(copy, 'job/v1/job.proto');
  const table: [string, RegExp, string, RegExp][] = [
    ['another number', /string queue = 2;/, 'string queue = 99;', /"2" with name "queue" on message "SubmitJob" was deleted/],
    ['another type', /string queue = 2;/, 'bytes queue = 2;', /"2" with name "queue" on message "SubmitJob" changed type/],
    ['another name', /string queue = 2;/, 'string line = 2;', /"2" with name "line" on message "SubmitJob" changed .*name/],
  ];
  const text = await readFile(path, 'utf8');
  for (const [says, from, to, named] of table) {
    t.match(text, from, 'the field is there');
    await writeFile(path, text.replace(from, to));
    t.match(await breakingChanges(copy, '0.2.0'), named, says);
  }
});
