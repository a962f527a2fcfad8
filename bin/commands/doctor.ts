import { Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption, type Where } from '../arguments.js';

const EXAMPLE = `
Example:
  reprise doctor --nats nats://127.0.0.1:4222 --monitoring http://127.0.0.1:8222
`;

export interface DoctorFlags extends Where {
  readonly monitoring?: string;
  readonly json?: true;
}

export const doctorCommand = (): Command =>
  new Command('doctor')
    .description('check what Reprise needs, and say what to do where something is amiss')
    .option('--monitoring <url>', "the server's monitoring address, which alone tells how durable it is", filled)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the findings as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: DoctorFlags) => (await import('../doctor/run.js')).runDoctor(flags));
