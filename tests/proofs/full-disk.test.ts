/** A server that cannot write stays so until it is restarted. Clients, log and doctor name the reason. */
import pino from 'pino';
import t from 'tap';
import { eventually, Reprise } from '../broker.js';
import { run, startDev, until } from '../command/rig.js';
import { Disk } from '../full-disk.js';
import { readHistories } from '../histories.js';
import { Stranger } from '../stranger.js';

const skip = Disk.absent;
// Both mostly wait.
t.jobs = 2;

t.test('given a full disk, then DISK_FULL is shown, and nothing acknowledged is lost', { skip }, async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const reprise = await Reprise.start(t, { log });
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const submit = (commandId: string): Promise<string> =>
    client.json('job.submit', { type: 'x', commandId }, 8_000).then(
      ({ code }) => code || 'recorded',
      () => 'no reply',
    );
  t.equal(await submit('before'), 'recorded');

  const disk = new Disk(reprise.server.pid);
  disk.fill();
  t.equal(await submit('during'), 'UNKNOWN', 'the commit in flight may have been written');
  const refused = await client.json('job.submit', { type: 'x', commandId: 'then' });
  const body = { message: /cannot|failed/, hint: /restart the server/, retryable: false };
  t.match(refused, { code: 'DISK_FULL', body });
  const where = ['--nats', reprise.brokerUrl, '--namespace', reprise.ns];
  const monitoring = ['--monitoring', reprise.server.monitoringUrl];
  const doctor = await run(['doctor', ...where, ...monitoring], { cwd: t.testdir() });
  t.match(doctor, { code: 1, stdout: /fail +storage +DISK_FULL: .*write error/ });
  t.match(doctor.stdout, /fail +partition 0 +DISK_FULL/);

  disk.makeRoom();
  const stuck = await eventually(async () => {
    const { code, body } = await client.json('job.get', { jobId: '0-0000000000000000' });
    return /must be restarted/.test(String(body['message'])) && code;
  }, 30_000, 200);
  t.equal(stuck, 'DISK_FULL', 'free space alone is not enough');

  await reprise.killServer();
  await eventually(async () => (await submit('during')) === 'recorded', 15_000, 100);
  t.equal((await client.json('job.submit', { type: 'x', commandId: 'before' })).body['duplicate'], true);
  const { jobs, complaints } = await readHistories(client, 1);
  t.strictSame(complaints, []);
  t.strictSame([...jobs.values()].map(({ commandId }) => commandId), ['before', 'during']);
  const hasHint = lines.some((line) => /"code":"DISK_FULL"/.test(line) && /restart the server/.test(line));
  t.ok(hasHint, 'the log says what to do');
  t.notOk(lines.some((line) => line.includes('another broker leads')), 'there is no other broker');
});

t.test('given a full disk, then `dev` restarts its server once there is free space', { skip }, async (t) => {
  const dev = await startDev(t, ['--workers', '0']);
  const client = await dev.client();
  const [before] = await client.submit([{ type: 'x', commandId: 'before' }]);
  new Disk(dev.pids.server).fill();
  const [during] = await client.submit([{ type: 'x', commandId: 'during' }]).catch(() => []);
  await until('a submit', async () => !(await client.submit([{ type: 'x', commandId: 'after' }]))[0]!.error);
  t.match(dev.log(), /could not write/);
  t.equal((await client.get({ jobId: before!.jobId })).status, 'ready');
  const [again] = await client.submit([{ type: 'x', commandId: 'during' }]);
  if (during && !during.error) t.equal(again!.jobId, during.jobId);
  t.equal((await dev.run('doctor')).code, 0);
  t.equal((await dev.run('audit', 'verify')).code, 0);
});
