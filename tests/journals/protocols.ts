/** The .proto files of a release, kept as a buf image: later ones must read what was written with them. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { folderOf } from './recording.js';

export const PROTOCOLS = join(import.meta.dirname, '../../protocols');
/** Names count as well, because requests and replies may be JSON. */
const CONFIG = JSON.stringify({ version: 'v2', breaking: { use: ['WIRE_JSON'] } });
const BUF = join(dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')), 'bin/buf');

const imageOf = (version: string): string => join(folderOf(version), 'protocols.binpb');

export async function recordProtocols(version: string): Promise<void> {
  const { code, output } = await buf(PROTOCOLS, ['build', '.', '--exclude-source-info', '-o', imageOf(version)]);
  if (code !== 0) throw new Error(output);
}

/** @returns what of the .proto files in a folder breaks with a release, a line each; empty if nothing does */
export async function breakingChanges(folder: string, version: string): Promise<string> {
  const { code, output } = await buf(folder, ['breaking', '.', '--config', CONFIG, '--against', imageOf(version)]);
  if (code !== 0 && output === '') throw new Error(`buf ended with ${code}`);
  return output;
}

function buf(cwd: string, given: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BUF, ...given], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
    });
  });
}
