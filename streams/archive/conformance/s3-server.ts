/** A server that is compatible with S3, in a process of its own. Tests only. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  stop(): Promise<void>;
}

/** The ones that this server accepts. */
export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
/** The server encrypts the tokens of its pages with one that OpenSSL 3 does not have by default. */
const CIPHERS = '--openssl-legacy-provider';
const BUCKET = 'reprise-archive';

export async function startS3Server(folder: string): Promise<S3Server> {
  const program = join(dirname(createRequire(import.meta.url).resolve('s3rver/package.json')), 'bin', 's3rver.js');
  const options = ['--address', '127.0.0.1', '--port', '0', '--directory', folder, '--configure-bucket', BUCKET];
  const child = spawn(process.execPath, [CIPHERS, program, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /listening on .*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    const stop = async (): Promise<void> => {
      child.kill();
      await exited;
    };
    return { endpoint: `http://127.0.0.1:${port}`, bucket: BUCKET, stop };
  }
  throw new Error('The server ended before it listened.');
}
