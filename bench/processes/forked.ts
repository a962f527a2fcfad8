/** A child process whose functions are called over Node's channel. It ends itself when this process is gone. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scope } from './scope.js';

/** The functions of a child: one argument, one result, both plain data. `never` lets any argument type match. */
export type Calls = { readonly [name: string]: (argument: never) => Promise<unknown> };

export interface CallMessage {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export interface ResultMessage {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

interface OpenCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const END_WITHIN_MS = 5_000;

export class Forked<C extends Calls> {
  private readonly open = new Map<number, OpenCall>();
  private id = 0;

  private constructor(
    private readonly child: ChildProcess,
    name: string,
  ) {
    child.on('message', (result: ResultMessage) => this.received(result));
    child.on('exit', (code, signal) => this.fail(new Error(`${name} ended with ${signal ?? code}.`)));
    child.on('error', (error) => this.fail(error));
  }

  /**
   * @param module as `new URL('x.js', import.meta.url)`
   * @param argument passed to the child as JSON
   */
  static async start<C extends Calls>(module: URL, argument: unknown, scope: Scope): Promise<Forked<C>> {
    const path = fileURLToPath(module);
    const child = fork(path, [JSON.stringify(argument)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'json',
    });
    const forked = new Forked<C>(child, path);
    scope.add(() => forked.end());
    await forked.send('ready', undefined);
    return forked;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('The process was not started.');
    return this.child.pid;
  }

  call<Name extends keyof C & string>(
    name: Name,
    argument: Parameters<C[Name]>[0],
  ): Promise<Awaited<ReturnType<C[Name]>>> {
    return this.send(name, argument) as Promise<Awaited<ReturnType<C[Name]>>>;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    const kill = setTimeout(() => this.child.kill('SIGKILL'), END_WITHIN_MS);
    await gone;
    clearTimeout(kill);
  }

  private send(name: string, argument: unknown): Promise<unknown> {
    const message: CallMessage = { id: ++this.id, name, argument };
    return new Promise((resolve, reject) => {
      this.open.set(message.id, { resolve, reject });
      this.child.send(message, (error) => error && this.fail(error));
    });
  }

  private received({ id, value, error }: ResultMessage): void {
    const call = this.open.get(id);
    this.open.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  }

  private fail(error: Error): void {
    for (const { reject } of this.open.values()) reject(error);
    this.open.clear();
  }
}
