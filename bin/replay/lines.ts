/** Formats a step of a replay as text. */
import { statusText } from '../jobs/show-values.js';
import { paint, visible } from '../terminal.js';
import type { Step } from '../../replay/step.js';

export function* linesOf(step: Step): Generator<string> {
  const { type, by, commandId } = step.cause;
  const cause = [type || 'unknown', by && `by ${by}`, commandId && `as ${commandId}`].filter(Boolean).join(' ');
  const [position, event] = [paint('gray', step.position.padEnd(8)), paint('bold', step.event.padEnd(18))];
  yield `${position} ${step.time}  ${event} ${statusText(step.before)} → ${statusText(step.after)}`;
  yield `${INDENT}cause    ${visible(cause)}`;
  for (const [field, { before, after }] of Object.entries(step.changed)) {
    const from = before === null || before === '' ? '' : `${show(before, field)} → `;
    yield `${INDENT}${field}: ${from}${show(after, field)}`;
  }
  if (step.content) yield `${INDENT}${step.content.of.padEnd(8)} ${visible(step.content.text)}`;
  if (step.failure) yield `${INDENT}failure  ${visible(`${step.failure.code}: ${step.failure.message}`)}`;
  if (step.removedBytes !== undefined) yield `${INDENT}content  removed from the journal (${step.removedBytes} bytes)`;
  if (step.complaint) yield `${INDENT}${paint('red', `complaint: ${step.complaint}`)}`;
}

const INDENT = ' '.repeat(9);

function show(value: unknown, field = ''): string {
  // Names of times and of durations both end in Ms; times are far larger than any duration.
  if (typeof value === 'number' && field.endsWith('Ms') && value > 1e12) return new Date(value).toISOString();
  return visible(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}
