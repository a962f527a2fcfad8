/** `reprise doctor` */
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import { connectNats } from '../../streams/connect.js';
import { durabilityOf, fitness } from '../../streams/durability.js';
import type { DoctorFlags } from '../commands/doctor.js';
import { locate, type Located } from '../locate.js';
import { paint, print } from '../terminal.js';
import { brokerFindings } from './brokers.js';
import { fail, ok, warn, type Finding } from './finding.js';
import { leaderFindings } from './leaders.js';
import { storageFindings } from './storage.js';
import { streamFindings } from './streams.js';

const NODE_NEEDED = [20, 19] as const;

export async function runDoctor(flags: DoctorFlags): Promise<void> {
  const located = locate(flags);
  const findings = [node(), ...(await server(located, flags.monitoring ?? located.dev?.monitoring))];
  const failed = findings.some(({ level }) => level === 'fail');
  if (flags.json) print(JSON.stringify({ ok: !failed, findings }));
  else for (const finding of findings) show(finding);
  if (failed) process.exitCode = 1;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1]);
  if (fits) return ok('Node', process.versions.node);
  return fail('Node', process.versions.node, `Node ${NODE_NEEDED.join('.')} or newer is needed.`);
}

async function server({ url, namespace }: Located, monitoring: string | undefined): Promise<Finding[]> {
  let nc: NatsConnection;
  try {
    nc = await connectNats({ url, name: 'reprise doctor', reconnect: false });
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    return [fail('server', error.message, error.hint)];
  }
  try {
    const { findings, replicas, partitions } = await streamFindings(nc, namespace);
    const brokers = await brokerFindings(nc, namespace);
    const leaders = brokers.every(({ level }) => level === 'ok') ? await leaderFindings(nc, namespace, partitions) : [];
    return [version(nc, replicas), await durability(monitoring), ...(await storageFindings(monitoring)), ...findings, ...brokers, ...leaders];
  } finally {
    await nc.close();
  }
}

function version(nc: NatsConnection, replicas: number): Finding {
  const found = nc.info?.version ?? 'unknown';
  const { ok: fits, advice } = fitness(found, replicas);
  if (!fits) return fail('server', `${found} at ${nc.getServer()}`, advice ?? 'Install a newer nats-server.');
  return advice === undefined ? ok('server', `${found} at ${nc.getServer()}`) : warn('server', `${found} at ${nc.getServer()}`, advice);
}

async function durability(monitoring: string | undefined): Promise<Finding> {
  const found = await durabilityOf(monitoring);
  if (found === 'fsync') return ok('durability', 'fsync before every acknowledgement');
  if (found === 'relaxed') return warn('durability', 'relaxed: a power cut may lose what was acknowledged just before', 'Set sync_interval: always in jetstream {} of nats-server.conf.');
  return warn('durability', 'unverified', 'Give the address of the server that has http: in its configuration: --monitoring http://127.0.0.1:8222.');
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function show({ level, what, found, hint }: Finding): void {
  print(`${paint(COLOURS[level], level.padEnd(5))} ${what.padEnd(11)} ${found}`);
  if (hint) print(`${' '.repeat(18)}${hint}`);
}
