// Generates protocols/gen from the .proto files, and lays it beside the built code, where tsc does not carry it.
// Run by `npm run build:protocols`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const cli = createRequire(import.meta.url).resolve('protobufjs-cli/bin/pbjs');
const files = readdirSync(here, { recursive: true }).filter((name) => name.endsWith('.proto')).sort();
mkdirSync(join(here, 'gen'), { recursive: true });
execFileSync(process.execPath, [
  cli, '--target', 'static-module', '--wrap', 'esm', '--dts', '--force-number', '--path', here,
  '--no-verify', '--no-convert', '--no-delimited', '--no-service', '--no-typeurl',
  '--out', join(here, 'gen', 'reprise.js'), ...files.map((name) => join(here, name)),
], { stdio: 'inherit' });

// Sequences and times stay below 2^53, so they are plain numbers; by default the library decodes 64-bit fields to
// objects.
const generated = join(here, 'gen', 'reprise.js');
const code = readFileSync(generated, 'utf8');
const opening = 'import $protobuf from "protobufjs/minimal.js";\n';
if (!code.includes(opening)) throw new Error('the generated code no longer begins as expected');
// The generated encoders check every field with hasOwnProperty. Without the check absent fields are found on the
// prototype, as null or as the default, and are not written either.
const questions = / && \$Object\.hasOwnProperty\.call\(message, "\w+"\)/g;
if (!questions.test(code)) throw new Error('the generated code no longer asks for own fields');
const configured = `${opening}\n$protobuf.util.Long = null;\n$protobuf.configure();\n`;
writeFileSync(generated, code.replace(opening, configured).replace(questions, ''));

cpSync(join(here, 'gen'), join(here, '..', 'dist', 'protocols', 'gen'), { recursive: true });
