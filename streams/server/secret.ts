/** The password of the broker user: drawn once for each data folder, and kept where only its owner can read it. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RepriseError } from '../../protocols/errors.js';

/** nats-server.conf takes it from a variable, and a value there that begins with a digit is read as a number. */
const PASSWORD = /^[a-z][A-Za-z0-9]{15,127}$/;
const RANDOM_BYTES = 24;

export async function brokerPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, 'broker.secret');
  const kept = await read(path);
  if (kept !== undefined) return kept;
  await draw(path);
  return (await read(path))!;
}

/** Whoever comes second finds the first one's: a link fails when the name is taken. */
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
  const hint = 'Delete it, and a new one is drawn at the next start.';
  throw new RepriseError('SERVER_FAILED', `${path} holds no usable password.`, { hint });
}
