/** A nats-server with a configuration that an operator changed: nats-server.conf of this package, edited. */
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { findServer } from '../streams/server/binary.js';
import { hold } from '../streams/server/hold.js';
import { untilReady } from '../streams/server/ready.js';

const CONFIGURATION = fileURLToPath(new URL('../nats-server.conf', import.meta.url));
const PASSWORD = 'chosen1';

export interface OperatorServer {
  readonly url: string;
  readonly brokerUrl: string;
  readonly monitoringUrl: string;
}

/** Denies ordinary users more subjects. */
export const denying = (...more: readonly string[]) => (configuration: string): string =>
  configuration.replaceAll('"$KV.>"', ['$KV.>', ...more].map((subject) => JSON.stringify(subject)).join(', '));

export async function operatorServer(t: Test, edit: (configuration: string) => string): Promise<OperatorServer> {
  const folder = t.testdir();
  const [configuration, ports] = [join(folder, 'edited.conf'), join(folder, 'ports')];
  const before = await readFile(CONFIGURATION, 'utf8');
  const edited = edit(before);
  if (edited === before) throw new Error('the edit changed nothing');
  await Promise.all([writeFile(configuration, edited), mkdir(ports)]);
  const { path } = await findServer();
  const output = await open(join(folder, 'output'), 'w');
  const command = [path, '-c', configuration, '-sd', join(folder, 'data'), '-p', '-1', '--ports_file_dir', ports];
  const env = { ...process.env, REPRISE_BROKER_PASSWORD: PASSWORD };
  const held = hold({ command, env, lock: join(folder, 'lock'), output: output.fd });
  t.teardown(async () => {
    await held.end();
    await output.close();
  });
  held.begin();
  const { port, monitoringUrl } = await untilReady(ports, AbortSignal.timeout(10_000));
  const at = `127.0.0.1:${port}`;
  return { url: `nats://${at}`, brokerUrl: `nats://broker:${PASSWORD}@${at}`, monitoringUrl };
}
