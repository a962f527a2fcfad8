/** A broker as a process, for tests that kill or suspend it. It ends when its parent does. */
import pino from 'pino';
import { startBroker } from '../gateways/nats/broker.js';
import { parseNamespace, type Namespace } from '../protocols/ids.js';
import { castOf } from './broker.js';

const { BROKER_URL: url = '', BROKER_NAMESPACE: ns = '', BROKER_PARTITIONS: partitions = '1' } = process.env;
const { BROKER_CAST: cast, BROKER_ARCHIVE: archive, REPRISE_TEST_LOG: level = 'silent' } = process.env;
process.stdin.on('end', () => process.exit()).resume();
const broker = await startBroker({
  url,
  namespace: parseNamespace(ns) as Namespace,
  partitions: Number(partitions),
  version: '0.0.0',
  log: pino({ level }, pino.destination(2)),
  ...(archive && { archive }),
  ...(await castOf(cast)),
});
await broker.ready;
process.stdout.write('ready\n');
