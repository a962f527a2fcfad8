import { Command } from 'commander';
import { MAX_PARTITIONS } from '../../protocols/ids.js';
import { filled, namespaceOption, natsOption, whole } from '../arguments.js';
import type { BrokerFlags } from '../run-broker.js';

const EXAMPLE = `
Example:
  reprise broker --nats nats://broker:password@127.0.0.1:4222 --partitions 4

Brokers connect as the user "broker" of nats-server.conf. Put the address with the password into REPRISE_NATS_URL to
hide it from other users of the machine. Several brokers share the partitions; if one stops, another takes over.
`;

export const brokerCommand = (): Command =>
  new Command('broker')
    .description('run a broker, which leads partitions and serves clients and workers')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .option('--partitions <count>', 'partitions of the namespace; fixed once it exists', whole(1, MAX_PARTITIONS), 1)
    .option('--replicas <count>', 'replicas of each stream that this broker creates', whole(1, 5), 1)
    .option('--index-dir <folder>', 'indexes of ended jobs; can be deleted (default: in the cache of the user)')
    .option('--archive <location>', 'archive to a folder or s3://bucket/prefix (default: REPRISE_ARCHIVE)', filled)
    .addHelpText('after', EXAMPLE)
    .action(async (flags: BrokerFlags) => (await import('../run-broker.js')).runBroker(flags));
