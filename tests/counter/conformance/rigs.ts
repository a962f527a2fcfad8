/** The journals of three partitions, in memory and on JetStream, each with a way to break connections. Tests only. */
import type { Namespace, Partition } from '../../../protocols/ids.js';
import { connectNats } from '../../../streams/connect.js';
import { Proxy, type Mishap } from '../../../streams/conformance/rigs.js';
import { openJournal } from '../../../streams/jetstream.js';
import type { Journal } from '../../../streams/journal.js';
import { MemoryStream } from '../../../streams/memory.js';
import { ensureTopology } from '../../../streams/topology.js';
import { PARTITIONS } from '../world.js';

export interface Rig {
  open(partition: Partition): Promise<Journal>;
  /** Breaks the connection of the next append, before or after it is written. */
  mishap(partition: Partition, mishap: Extract<Mishap, 'cut before' | 'cut after'>): void;
  /** Cuts all connections to a journal. */
  disconnect(partition: Partition): void;
  close(): Promise<void>;
}

export type MakeRig = () => Promise<Rig>;

export const memoryRig: MakeRig = async () => {
  const streams = PARTITIONS.map((partition) => new MemoryStream(partition));
  return {
    open: (partition) => streams[partition]!.open(),
    mishap: (partition, mishap) => streams[partition]!.fault(mishap),
    disconnect: (partition) => streams[partition]!.disconnect(),
    close: async () => {},
  };
};

let rigs = 0;

/** @param brokerUrl of a running server */
export const jetstreamRig = (brokerUrl: string): MakeRig => async () => {
  const ns = `three${process.pid}x${(rigs += 1)}` as Namespace;
  const nc = await connectNats({ url: brokerUrl, name: 'rig', reconnect: true });
  await ensureTopology(nc, ns, PARTITIONS.length);
  const proxies = await Promise.all(PARTITIONS.map(() => Proxy.listen(new URL(brokerUrl))));
  return {
    open: (partition) => openJournal({ url: proxies[partition]!.url, ns, partition, ackTimeoutMs: 400 }),
    mishap: (partition, mishap) => proxies[partition]!.arm(mishap),
    disconnect: (partition) => proxies[partition]!.cut(),
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await nc.close();
    },
  };
};
