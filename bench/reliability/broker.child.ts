/** A broker as a process, whose log and memory can be asked for. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pino from 'pino';
import { startBroker } from '../../gateways/nats/broker.js';
import { givenArgument, serve } from '../processes/serve.js';
import { namespace } from '../reprise/tally.js';
import type { BrokerArgument, BrokerCalls, Logged } from './calls.js';

const MIB = 2 ** 20;
const lines: Logged[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as Logged) });
const { url, indexDir, ...rest } = givenArgument<BrokerArgument>();
const broker = await startBroker({ url, indexDir, namespace, partitions: 1, version: '0.0.0', log, ...rest });

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const residentMb = (): number => Math.round(process.memoryUsage.rss() / MIB);

serve<BrokerCalls>({
  async memory() {
    const [before, peak] = [residentMb(), Math.round(process.resourceUsage().maxRSS / 1_024)];
    collect();
    // Pages are given back a moment later.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { residentMb: before, collectedMb: residentMb(), peakMb: peak };
  },
  logged: async () => lines.splice(0),
  async cpuSeconds() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
}, () => broker.stop());
