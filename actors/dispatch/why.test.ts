/** Each answer of job.why: a journal and a fleet that make it true, and what makes it go away. */
import t from 'tap';
import { parseToken, type JobId, type Token } from '../../protocols/ids.js';
import type { job as messages } from '../../protocols/messages.js';
import type { Outcome } from '../job/job.decide.js';
import { jobKind } from '../job/job.kind.js';
import { capabilities, capabilitiesText } from '../matching/capabilities.js';
import { requirement, requirementText } from '../matching/requirement.js';
import { leasesIn, ok, Play, session, worker } from '../../tests/play.js';

type Why = messages.WhyReply.$Properties;

class Asked extends Play {
  private pulls = 0;

  why(jobId: JobId): { readonly codes: string[]; readonly of: (code: string) => messages.Reason.$Properties | undefined } {
    const { answer } = this.ask<'why'>({ kind: 'why', target: { jobId } });
    const reasons = (answer as unknown as { answer: Why }).answer.reasons ?? [];
    return {
      codes: reasons.map(({ code }) => code ?? ''),
      of: (code) => reasons.find((each) => each.code === code),
    };
  }

  join(name: string, given: object = {}, types = ['square']): void {
    const text = capabilitiesText(capabilities(given));
    const of = { workerId: worker(name), session: session(name), types, queues: [], capacity: 10, software: '' };
    this.ask({ kind: 'register', proof: '', worker: { ...of, capabilities: text, weights: {} } });
  }

  pulling(name: string, free = 1, held: ReturnType<typeof leasesIn> = []): ReturnType<typeof leasesIn> {
    this.pulls += 1;
    return leasesIn([...this.pull(name, this.pulls, free, held), ...this.commit()]);
  }

  report(name: string, report: { readonly token: Token; readonly outcome: Outcome; readonly scope: 'type' }): void {
    this.pulls += 1;
    const pull = { pullSeq: this.pulls, free: 0, expiresMs: 1_000, held: [], workerId: worker(name), session: session(name) };
    this.ask({ kind: 'pull', ...pull, reports: [{ ...report, ...parseToken(report.token)! }] });
  }

  end(name: string, tokens: ReturnType<typeof leasesIn>): void {
    this.pulls += 1;
    this.pull(name, this.pulls, 0, [], tokens.map(ok));
    this.commit();
  }

  /** A leader that knows all workers. */
  known(): this {
    this.lead();
    this.nowMs += 10_000;
    return this;
  }
}

const play = (): Asked => new Asked().known();

t.test('NO_WORKER, until one comes that has what is required', (t) => {
  const of = play();
  const id = of.submit({ require: requirementText(requirement({ hardware: { gpuMemoryGb: 16 }, models: ['sdxl'] })) });
  t.match(of.why(id).of('NO_WORKER'), { message: 'no worker is registered', workers: 0 });
  of.join('none');
  of.join('small', { hardware: { gpuMemoryGb: 8 }, models: ['sdxl'] });
  of.join('other', { hardware: { gpuMemoryGb: 8 } });
  t.match(of.why(id).of('NO_WORKER'), {
    workers: 3, lack: { path: 'hardware.gpuMemoryGb', wanted: 'at least 16', workers: 3 }, nearest: 'small',
    nearestLacks: [{ path: 'hardware.gpuMemoryGb', found: '8' }],
  });
  of.join('able', { hardware: { gpuMemoryGb: 16 }, models: ['sdxl'] });
  t.strictSame(of.why(id).codes, ['WORKERS_BUSY']);
  t.end();
});

t.test('WORKERS_BUSY, until a slot is free', (t) => {
  const of = play();
  of.join('w');
  const id = of.submit({});
  t.match(of.why(id).of('WORKERS_BUSY'), { workers: 1 });
  t.equal(of.pulling('w').length, 1);
  t.match(of.why(id), { codes: ['RUNNING'] });
  t.end();
});

t.test('WORKERS_DRAINING, until one registers again', (t) => {
  const of = play();
  of.join('w');
  const id = of.submit({});
  of.ask({ kind: 'drain', workerId: worker('w'), session: session('w'), gone: false });
  t.match(of.why(id).of('WORKERS_DRAINING'), { workers: 1 });
  of.join('w');
  t.notOk(of.why(id).of('WORKERS_DRAINING'));
  t.end();
});

t.test('WORKERS_UNKNOWN, while a leader is new', (t) => {
  const of = new Asked();
  of.lead();
  const id = of.submit({});
  t.strictSame(of.why(id).codes, ['WORKERS_UNKNOWN']);
  of.nowMs += 10_000;
  t.strictSame(of.why(id).codes, ['NO_WORKER']);
  t.end();
});

t.test('BEHIND: how many jobs that the same workers can do go first', (t) => {
  const of = play();
  of.join('w');
  of.join('x', {}, ['square', 'cube']);
  const first = [of.submit({}), of.submit({}), of.submit({ type: 'cube', priority: 5 })];
  const id = of.submit({});
  of.submit({ type: 'sphere', priority: 9 });
  t.match(of.why(id).of('BEHIND'), { ahead: 2, places: [{ worker: 'w', ahead: 2 }, { worker: 'x', ahead: 3 }] });
  t.equal(of.pulling('x', 3).length, first.length);
  t.notOk(of.why(id).of('BEHIND'));
  t.end();
});

t.test('QUEUE_PAUSED, until it is resumed', (t) => {
  const of = play();
  const id = of.submit({});
  of.ask({ kind: 'pause', queue: 'default', reason: 'repairs', commandId: '', by: 'anna' });
  t.match(of.why(id).of('QUEUE_PAUSED'), { queue: 'default', by: 'anna', message: /by anna since .*: repairs/ });
  of.ask({ kind: 'resume', queue: 'default', reason: '', commandId: '', by: 'anna' });
  t.notOk(of.why(id).of('QUEUE_PAUSED'));
  t.end();
});

t.test('NOT_DUE, until it is', (t) => {
  const of = play();
  const id = of.submit({ delayMs: 5_000 });
  t.match(of.why(id), { codes: ['NOT_DUE'] });
  t.match(of.why(id).of('NOT_DUE'), { untilMs: Number });
  of.nowMs += 6_000;
  of.core.tick(of.moment);
  of.commit();
  t.notOk(of.why(id).of('NOT_DUE'));
  t.end();
});

t.test('SLOWED: a performer asks for a pause of a type, until it is over, also at the next leader', (t) => {
  const of = play();
  of.join('w', {}, ['square', 'cube']);
  const first = of.submit({});
  const [token] = of.pulling('w');
  const [id, other] = [of.submit({}), of.submit({ type: 'cube' })];
  const failure = { code: 'PERFORMER_ERROR', message: '429' };
  of.report('w', { token: token!, outcome: { kind: 'retry', failure, afterMs: 5_000 }, scope: 'type' });
  t.match(of.why(id).of('SLOWED'), { limit: 'default square', untilMs: of.nowMs + 5_000 });
  t.match(of.why(first).codes, ['NOT_DUE']);
  t.notOk(of.why(other).of('SLOWED'));
  t.match(of.pulling('w', 3).map((each) => each.split('/')[0]), [other]);
  t.equal(of.replayed().read(jobKind).admissions.slowedUntilMs(['default square']), of.nowMs + 5_000);
  of.tick(5_000);
  t.notOk(of.why(id).of('SLOWED'));
  t.match(of.pulling('w', 3).map((each) => each.split('/')[0]), [first, id]);
  t.end();
});

t.test('ENDED', (t) => {
  const of = play();
  of.join('w');
  const id = of.submit({});
  of.end('w', of.pulling('w'));
  t.match(of.why(id), { codes: ['ENDED'] });
  t.end();
});
