/** Determines which server and which namespace a command uses. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RepriseError } from '../protocols/errors.js';
import { parseNamespace, type Namespace } from '../protocols/ids.js';
import type { Where } from './arguments.js';
import { findDevFile, type DevFile } from './dev-file.js';

export interface Located {
  readonly url: string;
  readonly namespace: Namespace;
  /** Set if the address comes from a running `reprise dev`. */
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

/** Where `reprise dev` and the demo archive: with the data of their server, so that all are deleted together. */
export const archiveOf = (dataDir: string): string => resolve(dataDir, 'archive');

export const archiveFromEnvironment = (): string | undefined => process.env['REPRISE_ARCHIVE'] || undefined;

export interface ServerFlags {
  readonly nats?: string;
  readonly port?: number;
  readonly data?: string;
}

/**
 * @returns the running server that `dev` or the demo is to use; undefined to start one
 * @throws RepriseError USAGE for a flag that applies only to a server that is started
 */
export function runningServer({ nats, port, data }: ServerFlags): string | undefined {
  const url = nats ?? environmentUrl();
  const flag = port !== undefined ? '--port' : data !== undefined ? '--data' : undefined;
  if (url === undefined || flag === undefined) return url;
  const by = nats === undefined ? 'REPRISE_NATS_URL' : '--nats';
  const message = `${flag} applies to a server that is started here, but ${by} names a running one.`;
  throw new RepriseError('USAGE', message, { hint: `Leave out ${flag} or ${by}.` });
}

/**
 * As {@link locate}, with the broker's user, which may lead partitions and read journals. The password of an embedded
 * server is in its data folder, readable by its owner; that of any other server must be part of the address.
 */
export function locateForBroker(where: Where): Located {
  const located = locate(where);
  const { url } = located;
  const dev = located.dev ?? findDevFile(process.cwd());
  const secret = dev?.dataDir && isSame(dev.nats, url) ? readSecret(dev.dataDir) : undefined;
  return secret ? { ...located, url: url.replace('://', `://broker:${secret}@`) } : located;
}

/** `dev` listens on the loopback address only, which has more than one name. */
function isSame(dev: string, url: string): boolean {
  const given = URL.canParse(url) ? new URL(url) : undefined;
  return given?.username === '' && given.port === new URL(dev).port && LOOPBACK.has(given.hostname);
}
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

export function namespaceOf(text = 'default'): Namespace {
  const namespace = parseNamespace(text);
  if (namespace !== undefined) return namespace;
  const rule = '1 to 64 characters of A-Z a-z 0-9 _ -';
  throw new RepriseError('USAGE', `The namespace must be ${rule}, got ${JSON.stringify(text)}.`);
}

/** The address without the broker's user and password. */
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
