/** The parts of documents that are made: tables of commands, of the fields of a submit, and of settings of queues. */
import { readFileSync } from 'node:fs';
import { EVERY_COMMAND, type Command, type MessageType } from '../../actors/command.js';
import { COMMANDS } from '../../actors/commands.js';
import { leavesOf, type AnyField, type Fields } from '../../actors/fields.js';
import { SUBMIT } from '../../actors/job/job.submit.js';
import { PRESETS } from '../../actors/job/presets.js';
import { SETTINGS } from '../../actors/queue/settings.js';
import { DEFAULTS } from '../../protocols/limits.js';

export const protocolPage = (): string =>
  inRegions('protocol.md', {
    commands: commandTable(), 'fields of a submit': fieldTable('SubmitJob', SUBMIT), presets: presetTable(),
  });

export const queuesPage = (): string => inRegions('queues.md', { settings: fieldTable('QueueSettings', SETTINGS) });

/** @throws Error where a region has no markers */
function inRegions(file: string, regions: Readonly<Record<string, string>>): string {
  const page = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
  return Object.entries(regions).reduce((text, [name, made]) => {
    const [start, end] = [`<!-- ${name}: made by \`npm run docs\` -->\n`, `<!-- end of ${name} -->\n`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/${file} has no region "${name}"`);
    return `${text.slice(0, from + start.length)}\n${made}\n${text.slice(to)}`;
  }, page);
}

function commandTable(): string {
  return [
    '| subject | request → reply | what it does | refused with |',
    '|---|---|---|---|',
    ...COMMANDS.map(rowOf),
    '',
    `Any of them may be refused with ${EVERY_COMMAND.slice(0, -1).map(code).join(', ')}`,
    `or ${code(EVERY_COMMAND.at(-1)!)} as well, and with an operating error where the partition has halted.`,
    '',
  ].join('\n');
}

function rowOf(command: Command): string {
  const { noun, verb, does, request, reply, codes } = command;
  const messages = `${code(nameOf(request))} → ${code(nameOf(reply))}`;
  return `| ${code(`reprise.<ns>.${noun}.${verb}`)} | ${messages} | ${does} | ${codes.map(code).join(', ')} |`;
}

/** The generated classes bear the names of their messages. */
const nameOf = (message: MessageType): string => (message as unknown as { readonly name: string }).name;
const code = (text: string): string => `\`${text}\``;

function fieldTable(message: string, fields: Fields): string {
  const rows = [...leavesOf(fields)].map((field) => {
    const says = [field.about.about, ...boundsOf(field)].join('; ');
    return `| ${code(field.name)} | ${defaultOf(field)} | ${says} |`;
  });
  return [`| field of ${message} | default | |`, '|---|---|---|', ...rows, ''].join('\n');
}

function presetTable(): string {
  const rows = Object.entries(PRESETS).map(([name, { backoff, maxAttempts, maxCrashes = DEFAULTS.maxCrashes }]) => {
    const { initialMs, factor, maxMs } = { ...DEFAULTS.backoff, ...backoff };
    return `| ${[code(name), ...[maxAttempts, initialMs, factor, maxMs, maxCrashes].map(figure)].join(' | ')} |`;
  });
  return [
    '| `retry.preset` | `maxAttempts` | `initialMs` | `factor` | `maxMs` | `maxCrashes` |',
    '|---|---|---|---|---|---|', ...rows, '',
  ].join('\n');
}

function defaultOf(field: AnyField): string {
  if (field.about.byDefault !== undefined) return field.about.byDefault;
  return 'otherwise' in field && typeof field.otherwise === 'number' ? figure(field.otherwise) : '';
}

const figure = (value: number): string => value.toLocaleString('en-US');

function boundsOf(field: AnyField): string[] {
  switch (field.kind) {
    case 'text': return 'mostBytes' in field ? [`at most ${figure(field.mostBytes)} bytes`] : [];
    case 'whole':
    case 'decimal': return [`${figure(field.least)} to ${figure(field.most)}`];
    case 'time': return field.least > 0 ? [`at least ${figure(field.least)}`] : [];
    case 'texts': return [`up to ${figure(field.most)}, each of at most ${figure(field.mostBytes)} bytes`];
    case 'times': return [`1 to ${figure(field.most)} of them`];
    case 'numbers':
      return [`up to ${figure(field.mostEntries)}, each from ${figure(field.least)} to ${figure(field.most)}`];
    case 'flag':
    case 'pairs':
    case 'content':
    case 'document':
    case 'list':
    case 'group': return [];
    default: return field satisfies never;
  }
}
