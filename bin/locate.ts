/** Which server and which namespace a command talks to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RepriseError } from '../protocols/errors.js';
import { parseNamespace, type Namespace } from '../protocols/ids.js';
import type { Where } from './arguments.js';
import { findDevFile, type DevFile } from './dev-file.js';

export interface Located {
  readonly url: string;
  readonly namespace: Namespace;
  /** Given where the address came from a running `reprise dev`. */
  readonly dev: DevFile | undefined;
}

const DEFAULT_URL = 'nats://127.0.0.1:4222';

export function locate(where: Where): Located {
  const given = where.nats ?? environmentUrl();
  const dev = given === undefined ? findDevFile(process.cwd()) : undefined;
  const namespace = where.namespace ?? (process.env['REPRISE_NAMESPACE'] || undefined) ?? dev?.namespace;
  return { url: given ?? dev?.nats ?? DEFAULT_URL, namespace: namespaceOf(namespace), dev };
}

const environmentUrl = (): string | undefined => process.env['REPRISE_NATS_URL'] || undefined;

/**
 * The running server that `dev` or the demo is to use; undefined when it starts one of its own.
 * @throws RepriseError USAGE for a flag that only a server of its own could honour
 */
export function runningServer({ nats, port, data }: Pick<Where, 'nats'> & { readonly port?: number; readonly data?: string }): string | undefined {
  const url = nats ?? environmentUrl();
  const flag = port !== undefined ? '--port' : data !== undefined ? '--data' : undefined;
  if (url === undefined || flag === undefined) return url;
  const by = nats === undefined ? 'REPRISE_NATS_URL' : '--nats';
  throw new RepriseError('USAGE', `${flag} is for a server that is started here, but ${by} names one that runs.`, { hint: `Leave out ${flag} or ${by}.` });
}

/**
 * The same with the broker's user, which leads partitions and reads journals. The password of an embedded server lies in
 * its data folder, for its owner to read; the password of any other server belongs into the address.
 */
export function locateForBroker(where: Where): Located {
  const located = locate(where);
  const { url } = located;
  const dev = located.dev ?? findDevFile(process.cwd());
  const secret = dev?.dataDir && isSame(dev.nats, url) ? readSecret(dev.dataDir) : undefined;
  return secret ? { ...located, url: url.replace('://', `://broker:${secret}@`) } : located;
}

/** `dev` listens on this machine only, which has more than one name. */
function isSame(dev: string, url: string): boolean {
  const given = URL.canParse(url) ? new URL(url) : undefined;
  return given?.username === '' && given.port === new URL(dev).port && LOOPBACK.has(given.hostname);
}
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

export function namespaceOf(text = 'default'): Namespace {
  const namespace = parseNamespace(text);
  if (namespace !== undefined) return namespace;
  throw new RepriseError('USAGE', `The namespace must be 1 to 64 of A-Z a-z 0-9 _ -, not ${JSON.stringify(text)}.`);
}

/** The same server as somebody who is no broker reaches it: without the broker's password. */
export function withoutBroker(url: string): string {
  return url.replaceAll(/\/\/broker:[^@/]*@/g, '//');
}

function readSecret(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'broker.secret'), 'utf8').trim();
  } catch {
    return undefined;
  }
}
