/** The password of the user `broker`: drawn once for each data folder, in a file that only its owner can read. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RepriseError } from '../../protocols/errors.js';

/** nats-server.conf takes it from a variable, whose value is parsed as a number if it begins with a digit. */
const PASSWORD = /^[a-z][A-Za-z0-9]{15,127}$/;
const RANDOM_BYTES = 24;

export async function brokerPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, 'broker.secret');
  const existing = await read(path);
  if (existing !== undefined) return existing;
  await draw(path);
  return (await read(path))!;
}

/** Of two processes one writes first; the link of the other fails, and it reads the password of the first. */
async function draw(path: string): Promise<void> {
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, `p${randomBytes(RANDOM_BYTES).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  await link(own, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(own);
}

async function read(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined || PASSWORD.test(text.trim())) return text?.trim();
  const hint = 'Delete the file; the next start draws a new password.';
  const rule = 'a small letter followed by 15 to 127 letters or digits';
  throw new RepriseError('SERVER_FAILED', `The password in ${path} must be ${rule}.`, { hint });
}
