/** The checker of journals finds what is not as promised. */
import { createHash } from 'node:crypto';
import t from 'tap';
import type { Body } from '../stranger.js';
import { Checker } from './checker.js';

const CAPABILITIES = '{"models":["sdxl"]}';
const number = createHash('sha256').update(CAPABILITIES).digest().readUInt32BE(0);

class Story {
  readonly checker = new Checker();
  private seq = 0;

  tell(kind: string, id: string, type: string, body: Body): this {
    this.checker.follow({ seq: (this.seq += 1), nowMs: 0, kind, id, type, body });
    return this;
  }

  worker(capabilities = CAPABILITIES): this {
    return this.tell('worker', 'w', 'WorkerRegistered', { session: 's', types: ['square'], capabilities });
  }

  submit(id: string, over: Body = {}): this {
    return this.tell('job', id, 'JobSubmitted', {
      status: 'ready', jobType: 'square', queue: 'g/q', priority: 0, require: '', labels: { tenant: 'a' }, ...over,
    });
  }

  lease(id: string, over: Body = {}): this {
    return this.tell('job', id, 'JobLeased', { status: 'running', workerId: 'w', session: 's', capabilities: number, ...over });
  }

  set(queue: string, settings: Body): this {
    return this.tell('queue', queue, 'QueueConfigured', { settings });
  }
}

const cases: readonly [name: string, story: (of: Story) => Story, complaint: RegExp | undefined][] = [
  ['a plain lease', (of) => of.submit('1').submit('2').lease('1').lease('2'), undefined],
  ['a lease out of place', (of) => of.submit('1').submit('2').lease('2'), /overtakes place 0/],
  ['a lease before a higher priority', (of) => of.submit('1').submit('2', { priority: 5, queue: 'other' }).lease('1'), /overtakes place 1/],
  ['a lease behind a job that the worker cannot do', (of) => of.submit('1', { require: '{"models":["x"]}' }).submit('2').lease('2'), undefined],
  ['a lease that is forbidden', (of) => of.submit('1', { require: '{"models":["flux"]}' }).lease('1'), /forbidden/],
  ['a lease by older capabilities', (of) => of.worker('{"models":["flux"]}').submit('1').lease('1'), /names other capabilities/],
  ['a lease to an older session', (of) => of.submit('1').lease('1', { session: 'old' }), /not registered/],
  ['a lease of a paused group', (of) => of.submit('1').tell('queue', 'g/', 'QueuePaused', {}).lease('1'), /paused/],
  ['a lease above a limit', (of) => of.set('g/', { concurrency: 1 }).submit('1').submit('2').lease('1').lease('2'), /2 of 1 in g\//],
  ['a lease above a limit per key',
    (of) => of.set('g/q', { perKey: { label: 'tenant', concurrency: 1 } }).submit('1').submit('2').lease('1').lease('2'), /2 of 1 in g\/q a/],
  ['a lease past a full limit', (of) => of.set('g/q', { concurrency: 1 }).submit('1').submit('2').submit('3', { queue: 'g/r' }).lease('1').lease('3'), undefined],
  ['two leases at once', (of) => of.submit('1').lease('1').lease('1'), /of a job that is running/],
  ['an event after the end',
    (of) => of.submit('1').lease('1').tell('job', '1', 'JobCompleted', { status: 'completed' }).tell('job', '1', 'JobFailed', { status: 'failed' }), /follows its end/],
];

t.test('what the checker says of', (t) => {
  for (const [name, story, complaint] of cases) {
    const { complaints } = story(new Story().worker()).checker;
    if (complaint === undefined) t.strictSame(complaints, [], name);
    else t.match(complaints.join('\n'), complaint, name);
  }
  t.end();
});
