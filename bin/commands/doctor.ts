import { Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { DoctorFlags } from '../doctor/run.js';

const EXAMPLE = `
Example:
  reprise doctor --nats nats://127.0.0.1:4222 --monitoring http://127.0.0.1:8222
`;

export const doctorCommand = (): Command =>
  new Command('doctor')
    .description('check the server, the streams and the brokers, and say how to fix what is wrong')
    .option('--monitoring <url>', "the server's monitoring address, needed to check its durability", filled)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the findings as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: DoctorFlags) => (await import('../doctor/run.js')).runDoctor(flags));
