/** `reprise doctor` */
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import { connectNats } from '../../streams/connect.js';
import { fitness } from '../../streams/durability.js';
import type { Where } from '../arguments.js';
import { locateForBroker, type Located } from '../locate.js';
import { paint, print } from '../terminal.js';
import { brokerFindings } from './brokers.js';
import { durabilityFinding, monitoringOf } from './durability.js';
import { fail, ok, warn, type Finding } from './finding.js';
import { leaderFindings } from './leaders.js';
import { rightsFinding } from './rights.js';
import { retentionFindings } from './snapshots.js';
import { storageFindings } from './storage.js';
import { streamFindings } from './streams.js';

export interface DoctorFlags extends Where {
  readonly monitoring?: string;
  readonly json?: true;
}

const NODE_NEEDED = [20, 19] as const;

export async function runDoctor(flags: DoctorFlags): Promise<void> {
  const located = locateForBroker(flags);
  const findings = [node(), ...(await server(located, flags.monitoring))];
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
    nc = await connectNats({ url, name: 'reprise doctor', reconnect: false, requester: true });
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    return [fail('server', error.message, error.hint)];
  }
  try {
    const { findings, replicas, partitions } = await streamFindings(nc, namespace);
    const retention = partitions === 0 ? [] : await retentionFindings(nc, namespace);
    const brokers = await brokerFindings(nc, namespace);
    const hasBroker = brokers.every(({ level }) => level === 'ok');
    const leaders = hasBroker ? await leaderFindings(nc, namespace, partitions) : [];
    const monitored = await monitoringOf(nc, monitoring);
    const storage = await storageFindings(monitored);
    const ofServer = [version(nc, replicas), durabilityFinding(monitored), await rightsFinding(url), ...storage];
    return [...ofServer, ...findings, ...retention, ...brokers, ...leaders];
  } finally {
    await nc.close();
  }
}

function version(nc: NatsConnection, replicas: number): Finding {
  const number = nc.info?.version ?? 'unknown';
  const found = `${number} at ${nc.getServer()}`;
  const { ok: fits, advice } = fitness(number, replicas);
  if (!fits) return fail('server', found, advice ?? 'Install a newer nats-server.');
  return advice === undefined ? ok('server', found) : warn('server', found, advice);
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function show({ level, what, found, hint }: Finding): void {
  print(`${paint(COLOURS[level], level.padEnd(5))} ${what.padEnd(11)} ${found}`);
  if (hint) print(`${' '.repeat(18)}${hint}`);
}
