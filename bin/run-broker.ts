/** `reprise broker` */
import { join } from 'node:path';
import { startBroker } from '../gateways/nats/broker.js';
import { cacheFolder } from '../streams/server/binary.js';
import type { Where } from './arguments.js';
import { archiveFromEnvironment, locateForBroker } from './locate.js';
import { logger } from './log.js';
import { version } from './self.js';
import { endWithin, sendReady, untilStopRequested } from './shutdown.js';

export interface BrokerFlags extends Where {
  readonly partitions: number;
  readonly replicas: number;
  readonly indexDir?: string;
  readonly archive?: string;
}

const STOP_WITHIN_MS = 8_000;
/** If the parent died, so did the server, and leadership cannot be handed over. */
const ORPHAN_STOP_WITHIN_MS = 2_000;

const inCache = (): string => join(cacheFolder(), 'index');

export async function runBroker(flags: BrokerFlags): Promise<void> {
  const { partitions, replicas, indexDir = inCache(), archive = archiveFromEnvironment(), ...where } = flags;
  const stopRequested = untilStopRequested();
  const { url, namespace } = locateForBroker(where);
  const log = logger('broker');
  const starting = startBroker({
    url, namespace, partitions, replicas, indexDir, version: version(), log, ...(archive && { archive }),
  });
  // From here on, so that a broker which is still connecting can be stopped too.
  void stopRequested.then((why) => endWithin(why === 'disconnect' ? ORPHAN_STOP_WITHIN_MS : STOP_WITHIN_MS, 0));
  const broker = await starting;
  void broker.ready.then(() => {
    log.info({ broker: broker.name, namespace, partitions }, 'ready');
    sendReady();
  });
  const why = await stopRequested;
  log.info({ broker: broker.name, why }, 'stopping');
  await broker.stop();
  process.exit(0);
}
