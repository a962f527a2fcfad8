/** What holds for every command of the list. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ERRORS } from '../protocols/errors.js';
import { RESERVED_NOUNS } from '../protocols/subjects.js';
import { EVERY_COMMAND, nameOf } from './command.js';
import { commandOf, COMMANDS } from './commands.js';

const ACTORS = fileURLToPath(new URL('.', import.meta.url));

t.test('every file in a folder of commands is in the list, under its own name', async (t) => {
  const files = readdirSync(ACTORS, { recursive: true }).map(String).flatMap((path) => {
    const [, noun, verb] = /^(\w+)\/commands\/(\w+)\.ts$/.exec(path) ?? [];
    return noun === undefined ? [] : [`${noun}.${verb}`];
  });
  t.ok(files.length > 0, 'there are some');
  t.same(COMMANDS.map(nameOf).sort(), files.sort());
});

t.test('a command is found by its name, which is one part of a subject each', async (t) => {
  for (const command of COMMANDS) {
    t.equal(commandOf(nameOf(command)), command, nameOf(command));
    for (const part of [command.noun, command.verb]) t.match(part, /^[a-z]+$/);
    t.notOk(RESERVED_NOUNS.has(command.noun), `${command.noun} is no other subject's`);
  }
  t.equal(commandOf('job.no'), undefined);
});

t.test('a command says what it may be refused with, each code once', async (t) => {
  for (const command of COMMANDS) {
    const codes = [...EVERY_COMMAND, ...command.codes];
    t.equal(new Set(codes).size, codes.length, nameOf(command));
    for (const code of codes) t.equal(ERRORS[code].kind, 'rejection', code);
    if (command.session === undefined) continue;
    t.ok(codes.includes('SESSION_UNPROVED'), `${nameOf(command)} proves its session`);
  }
});
