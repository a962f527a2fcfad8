/** A play with settings of queues and workers that hold several jobs: for tests of limits, shares and ageing. */
import type { JobId, Token } from '../protocols/ids.js';
import { set } from '../actors/queue/commands/set.js';
import { freeze, thaw } from '../partition/core/state.js';
import { leasesIn, newCore, ok, Play, session, worker } from './play.js';
import { read } from './poisoned.js';

export class Limited extends Play {
  private pulls = new Map<string, number>();
  held = new Map<string, Token[]>();

  constructor() {
    super();
    this.lead();
  }

  /** Settings as a client gives them; those that are named in `unset` are taken away. */
  configure(queue: string, settings: object, unset: readonly string[] = []): void {
    const message = { queue, settings, unset: [...unset], reason: 'test', commandId: '' };
    const { answer } = this.ask<'queue.set'>({ kind: 'queue.set', by: 'anna', ...set.check(message as never) });
    if (answer?.kind === 'refused') throw new Error(answer.rejection.message);
  }

  join(name: string, queues: readonly string[] = [], types: readonly string[] = ['square', 'cube']): void {
    const identity = { workerId: worker(name), session: session(name), types, queues, capacity: 100, software: '' };
    this.ask<'register'>({ kind: 'register', proof: '', worker: { ...identity, capabilities: '', weights: {} } });
    if (!this.held.has(name)) this.held.set(name, []);
  }

  of(labels: Readonly<Record<string, string>>, over: Parameters<Play['submit']>[0] = {}): JobId {
    return this.submit({ ...over, labels });
  }

  /** The ids of the jobs that the worker gets with so many free slots; it holds them. */
  take(name: string, free = 1): string[] {
    const held = this.held.get(name)!;
    const tokens = leasesIn(this.pulled(name, free, held, []));
    held.push(...tokens);
    return tokens.map(idOf);
  }

  /** Ends the first that it holds, or the one with this id. */
  finish(name: string, id?: string): string {
    const held = this.held.get(name)!;
    const at = id === undefined ? 0 : held.findIndex((token) => idOf(token) === id);
    const [token] = held.splice(at, 1) as [Token];
    this.pulled(name, 0, held, [token]);
    return idOf(token);
  }

  /** Gets one job after the other, each of which ends at once. @returns their ids, as many as there are */
  work(name: string, times: number): string[] {
    const done: string[] = [];
    while (done.length < times && this.take(name).length > 0) done.push(this.finish(name));
    return done;
  }

  /** A new leader of the same partition with the same workers, from the journal or from a snapshot of it. */
  successor(from: 'journal' | 'snapshot'): Limited {
    let core = this.replayed();
    if (from === 'snapshot') {
      const parts = read(freeze(core.state));
      core = newCore();
      thaw(core.state, parts);
    }
    const next = Object.assign(new Limited(), this) as Limited;
    Object.assign(next, { core, commits: [...this.commits] });
    next.pulls = new Map(this.pulls);
    next.held = new Map([...this.held].map(([name, tokens]) => [name, [...tokens]]));
    next.lead();
    return next;
  }

  private pulled(name: string, free: number, held: readonly Token[], ended: readonly Token[]) {
    const nth = (this.pulls.get(name) ?? 0) + 1;
    this.pulls.set(name, nth);
    return [...this.pull(name, nth, free, [...held], ended.map(ok)), ...this.commit()];
  }
}

export const idOf = (token: Token): string => token.slice(0, token.indexOf('/'));
