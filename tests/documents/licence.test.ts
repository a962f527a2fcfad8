/** The licence is named in three places, and shipped. They must agree. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Of https://www.apache.org/licenses/LICENSE-2.0.txt, with its appendix. */
const APACHE_2_0 = 'cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30';

t.test('package.json, README and LICENSE name the same licence', (t) => {
  t.equal((JSON.parse(read('package.json')) as { license: string }).license, 'Apache-2.0');
  t.match(read('README.md'), /\[Apache License 2\.0\]\(LICENSE\)/);
  t.equal(createHash('sha256').update(read('LICENSE')).digest('hex'), APACHE_2_0, 'the text is the standard one, unchanged');
  t.end();
});

t.test('the package ships it', (t) => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [{ files }] = JSON.parse(listed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const file of ['LICENSE', 'README.md', 'bin/reprise', 'nats-server.conf']) t.ok(paths.includes(file), file);
  t.end();
});
