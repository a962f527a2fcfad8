/** A broker as a process of its own. */
import { startBroker } from '../gateways/nats/broker.js';
import type { BrokerFlags } from './commands/broker.js';
import { locateForBroker } from './locate.js';
import { logger } from './log.js';
import { version } from './self.js';
import { endWithin, tellReady, untilAsked } from './shutdown.js';

const STOP_WITHIN_MS = 8_000;
/** A parent that died took the server along, so nothing can be given back. */
const ORPHAN_STOP_WITHIN_MS = 2_000;

export async function runBroker(flags: BrokerFlags): Promise<void> {
  const asked = untilAsked();
  const { url, namespace } = locateForBroker(flags);
  const log = logger('broker');
  const starting = startBroker({ url, namespace, partitions: flags.partitions, replicas: flags.replicas, version: version(), log });
  // Who asks a broker to end while it dials does not want to wait until it has dialled.
  void asked.then((why) => endWithin(why === 'disconnect' ? ORPHAN_STOP_WITHIN_MS : STOP_WITHIN_MS, 0));
  const broker = await starting;
  void broker.ready.then(() => {
    log.info({ broker: broker.name, namespace, partitions: flags.partitions }, 'ready');
    tellReady();
  });
  const why = await asked;
  log.info({ broker: broker.name, why }, 'ending');
  await broker.stop();
  process.exit(0);
}
