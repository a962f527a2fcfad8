import { Command } from 'commander';
import { namespaceOption, natsOption, whole, type Where } from '../arguments.js';

const EXAMPLE = `
Example:
  reprise broker --nats nats://broker:password@127.0.0.1:4222 --partitions 4

Brokers need the user "broker" of nats-server.conf. The address with its password may stand in REPRISE_NATS_URL, where
others cannot read it. Several brokers share the partitions; when one ends, another goes on.
`;

export interface BrokerFlags extends Where {
  readonly partitions: number;
  readonly replicas: number;
}

export const brokerCommand = (): Command =>
  new Command('broker')
    .description('lead partitions and answer clients and workers')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .option('--partitions <count>', 'how many partitions the namespace has; for good once it was made', whole(1, 256), 1)
    .option('--replicas <count>', 'copies of each stream, where they are made', whole(1, 5), 1)
    .addHelpText('after', EXAMPLE)
    .action(async (flags: BrokerFlags) => (await import('../run-broker.js')).runBroker(flags));
