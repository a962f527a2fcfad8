/** A child process of ours, asked over the channel that Node gives it. It ends itself when this process is gone. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scope } from './scope.js';

/** What a child can be asked: one argument, one answer, both plain data. */
// The argument stands where nothing is known of it, so that any list of calls fits.
export type Calls = { readonly [name: string]: (argument: never) => Promise<unknown> };
export interface Question { readonly id: number; readonly name: string; readonly argument: unknown }
export interface Answer { readonly id: number; readonly value?: unknown; readonly error?: string }

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const END_WITHIN_MS = 5_000;

export class Forked<C extends Calls> {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #id = 0;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    child.on('message', (answer: Answer) => this.#answered(answer));
    child.on('exit', (code, signal) => this.#fail(new Error(`${name} ended with ${signal ?? code}.`)));
    child.on('error', (error) => this.#fail(error));
  }

  /** @param module beside the caller: `new URL('x.js', import.meta.url)`; @param argument given to it as JSON */
  static async start<C extends Calls>(module: URL, argument: unknown, scope: Scope): Promise<Forked<C>> {
    const path = fileURLToPath(module);
    const child = fork(path, [JSON.stringify(argument)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'json' });
    const forked = new Forked<C>(child, path);
    scope.add(() => forked.end());
    await forked.#ask('ready', undefined);
    return forked;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The process was not started.');
    return this.#child.pid;
  }

  call<Name extends keyof C & string>(name: Name, argument: Parameters<C[Name]>[0]): Promise<Awaited<ReturnType<C[Name]>>> {
    return this.#ask(name, argument) as Promise<Awaited<ReturnType<C[Name]>>>;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), END_WITHIN_MS);
    await gone;
    clearTimeout(kill);
  }

  #ask(name: string, argument: unknown): Promise<unknown> {
    const question: Question = { id: ++this.#id, name, argument };
    return new Promise((resolve, reject) => {
      this.#pending.set(question.id, { resolve, reject });
      this.#child.send(question, (error) => error && this.#fail(error));
    });
  }

  #answered({ id, value, error }: Answer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(value);
    else pending?.reject(new Error(error));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
