import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { recordReports } from '../record-reports.js';
import { pulledReply } from '../replies.js';
import { notice } from '../sessions.js';

export function reportAttempts(step: Step, command: Extract<Command, { kind: 'report' }>): void {
  const told = notice();
  recordReports(step, command, command.reports, told);
  step.answer(command.to, pulledReply, told);
}
