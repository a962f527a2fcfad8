/** Both stores pass one suite; and what is particular to each. The server of S3 is a real process. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { CREDENTIALS, startS3Server, type S3Server } from '../../streams/archive/conformance/s3-server.js';
import { conformance } from '../../streams/archive/conformance/suite.js';
import { FolderStore } from '../../streams/archive/folder-store.js';
import { openStore, parseLocation } from '../../streams/archive/location.js';
import { openS3Store } from '../../streams/archive/s3-store.js';

conformance(t, 'folder', async (t) => new FolderStore(join(t.testdir(), 'archive')));

let server: S3Server;
let stores = 0;
t.before(async () => {
  server = await startS3Server(t.testdir());
});
t.teardown(() => server.stop());
const placed = (prefix: string) =>
  ({ bucket: server.bucket, endpoint: server.endpoint, region: 'us-east-1', credentials: CREDENTIALS, prefix });

conformance(t, 's3', async (t) => {
  const store = await openS3Store(placed(`test-${(stores += 1)}/`));
  t.teardown(() => store.close());
  return store;
});

t.test('s3: two stores with their own prefixes in one bucket do not see each other', async (t) => {
  const [one, two] = [await openS3Store(placed('one/')), await openS3Store(placed('one/two/'))];
  await two.put('x', [Buffer.from('x')]);
  t.strictSame(await two.list(''), ['x']);
  t.strictSame(await one.list(''), ['two/x']);
  one.close();
  two.close();
});

t.test('s3: given no server, no bucket or wrong credentials, then the archive is unreachable', async (t) => {
  const wrong = {
    'no server': { ...placed(''), endpoint: 'http://127.0.0.1:1' },
    'no bucket': { ...placed(''), bucket: 'another' },
    'wrong credentials': { ...placed(''), credentials: { accessKeyId: 'WRONG', secretAccessKey: 'wrong' } },
  };
  for (const [what, place] of Object.entries(wrong)) {
    const store = await openS3Store(place);
    const unreachable = { code: 'ARCHIVE_UNREACHABLE', retryable: true };
    await t.rejects(store.put('x', [Buffer.from('x')]), unreachable, `${what}: put`);
    await t.rejects(store.get('x'), unreachable, `${what}: get`);
    await t.rejects(store.list(''), unreachable, `${what}: list`);
    await t.rejects(store.create('x', [Buffer.from('x')]), unreachable, `${what}: create`);
    store.close();
  }
});

t.test('folder: what a crash left behind is no object', async (t) => {
  const folder = t.testdir({ a: { '.writing-0123': 'half', one: 'whole' } });
  const store = new FolderStore(folder);
  t.strictSame(await store.list(''), ['a/one']);
  await store.put('a/two', [Buffer.from('2')]);
  t.strictSame((await readdir(join(folder, 'a'))).sort(), ['.writing-0123', 'one', 'two'], 'and a put leaves nothing');
});

t.test('folder: given a folder that cannot be written, then the archive is unreachable', async (t) => {
  const folder = t.testdir();
  await writeFile(join(folder, 'file'), '');
  const store = new FolderStore(join(folder, 'file'));
  await t.rejects(store.put('x', [Buffer.from('x')]), { code: 'ARCHIVE_UNREACHABLE', retryable: true, message: /x/ });
  await mkdir(join(folder, 'one', 'x'), { recursive: true });
  const taken = new FolderStore(join(folder, 'one'));
  await t.rejects(taken.put('x', [Buffer.from('x')]), { code: 'ARCHIVE_UNREACHABLE' });
  t.strictSame(await readdir(join(folder, 'one')), ['x'], 'and the temporary file is removed');
});

t.test('a location is a path, a file: URL or an s3: URL', async (t) => {
  t.strictSame(parseLocation('../../streams/archive/some/where'), { kind: 'folder', path: '../../streams/archive/some/where' });
  t.strictSame(parseLocation('/abs/olute'), { kind: 'folder', path: '/abs/olute' });
  t.strictSame(parseLocation('file:///some%20where'), { kind: 'folder', path: '/some where' });
  t.strictSame(parseLocation('s3://bucket'), { kind: 's3', place: { bucket: 'bucket', prefix: '' } });
  t.strictSame(parseLocation('s3://my.bucket/a/b/?endpoint=http://127.0.0.1:9000&region=eu-1'), {
    kind: 's3',
    place: { bucket: 'my.bucket', prefix: 'a/b/', endpoint: 'http://127.0.0.1:9000', region: 'eu-1' },
  });
  const wrong = [
    '', 'a\0b', 'http://somewhere/', 'file://host/path', 's3://', 's3:///prefix', 's3://UPPER', 
    's3://bucket/.a', 's3://bucket?acl=1', 's3://bucket?endpoint=ftp://x', 's3://bucket:1/x', 's3://b@ucket/x',
  ];
  for (const text of wrong) t.throws(() => parseLocation(text), { code: 'INVALID_ARGUMENT' }, JSON.stringify(text));
  const secret = t.throws(() => parseLocation('s3://key:secret@bucket/x'), { code: 'INVALID_ARGUMENT' });
  t.notMatch((secret as Error).message, /secret/, 'credentials are not repeated');
});

t.test('a store is opened from its location', async (t) => {
  const folder = t.testdir();
  const one = await openStore(pathToFileURL(folder).href);
  await one.put('x', [Buffer.from('x')]);
  t.strictSame(await (await openStore(folder)).list(''), ['x']);
  process.env['AWS_ACCESS_KEY_ID'] = CREDENTIALS.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = CREDENTIALS.secretAccessKey;
  const endpoint = encodeURIComponent(server.endpoint);
  const remote = await openStore(`s3://${server.bucket}/by-url?endpoint=${endpoint}&region=us-east-1`);
  t.equal(remote.location, `s3://${server.bucket}/by-url/`);
  await remote.put('x', [Buffer.from('x')]);
  t.strictSame(await remote.list(''), ['x'], 'with credentials from the environment');
  remote.close();
});
