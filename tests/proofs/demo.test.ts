import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { run } from '../command/rig.js';

t.test('the demo verifies its work and leaves nothing behind', async (t) => {
  const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('reprise-demo-'));
  const cwd = t.testdir();
  const before = new Set(folders());
  const { code, stdout, stderr } = await run(['demo', '--exit', '--bytes', '100000', '--least', '40'], { cwd });
  t.equal(code, 0, stderr);
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, number | string>;
  t.match(summary, { failed: 0, durability: 'fsync', jobsPerSecond: Number, p50Ms: Number, p99Ms: Number });
  t.ok(Number(summary['jobs']) >= 40);
  t.equal(summary['verified'], summary['jobs']);
  t.equal(summary['completed'], summary['jobs']);
  t.match(stdout, /replay 0-/, 'the output suggests commands');
  t.notOk(existsSync(`${cwd}/.reprise/dev.json`));
  t.same(folders().filter((name) => !before.has(name)), []);
});
