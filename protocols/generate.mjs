// Generates protocols/gen from the .proto files, and lays it beside the built code, where tsc does not carry it.
// Run by `npm run build:protocols`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
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
cpSync(join(here, 'gen'), join(here, '..', 'dist', 'protocols', 'gen'), { recursive: true });
