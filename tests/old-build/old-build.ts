/** The build of an earlier release, made from this repository's history, with the packages of the current one. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { within } from '../broker.js';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

export interface OldBuild {
  readonly folder: string;
  readonly version: string;
  remove(): Promise<void>;
}

/** @returns false in a clone that is shallow, or where there is no repository at all */
export async function isInHistory(commit: string): Promise<boolean> {
  return run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT }).then(() => true, () => false);
}

export async function buildOld(commit: string, version: string): Promise<OldBuild> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-old-build-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const archive = join(folder, 'old.tar');
    await run('git', ['archive', '--output', archive, commit], { cwd: ROOT });
    await run('tar', ['-xf', archive], { cwd: folder });
    await symlink(await realpath(join(ROOT, 'node_modules')), join(folder, 'node_modules'));
    await run(process.execPath, ['protocols/generate.mjs'], { cwd: folder });
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { cwd: folder });
    return { folder, version, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** One line of a log in JSON. */
export interface Logged {
  readonly level?: string;
  readonly msg?: string;
  readonly code?: string;
  readonly hint?: string;
  readonly epoch?: number;
  readonly err?: { readonly message?: string };
}

/** `reprise broker` of an old build. */
export class OldBroker {
  readonly log: Logged[] = [];

  private constructor(private readonly process: ChildProcess) {
    createInterface({ input: process.stderr! }).on('line', (line) => {
      try {
        this.log.push(JSON.parse(line) as Logged);
      } catch {
        this.log.push({ msg: line });
      }
    });
  }

  static start({ folder }: OldBuild, url: string, namespace: string): OldBroker {
    const args = [join(folder, 'bin/reprise'), 'broker', '--namespace', namespace];
    const env = { ...process.env, REPRISE_NATS_URL: url, REPRISE_LOG: 'info' };
    return new OldBroker(spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  logged(msg: string): Logged | undefined {
    return this.log.find((each) => each.msg === msg);
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await within(exited, 10_000, 'the old broker did not stop');
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}
