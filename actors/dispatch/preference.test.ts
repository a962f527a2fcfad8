import t from 'tap';
import { capabilities, capabilitiesText } from '../matching/capabilities.js';
import { requirement, requirementText } from '../matching/requirement.js';
import { failed, leasesIn, Play, session, worker } from '../../tests/play.js';

class Waiting extends Play {
  private pulls = 0;

  join(name: string, models: readonly string[] = []): void {
    const text = capabilitiesText(capabilities({ models }));
    const of = { workerId: worker(name), session: session(name), types: ['square'], queues: [], capacity: 10, software: '' };
    this.ask({ kind: 'register', proof: '', worker: { ...of, capabilities: text, weights: {} } });
  }

  /** Opens a pull. @returns the jobs that any pull gets by that */
  waits(name: string, reports: ReturnType<typeof failed>[] = []): ReturnType<typeof leasesIn> {
    this.pulls += 1;
    return leasesIn([...this.pull(name, this.pulls, 1, [], reports), ...this.commit()]);
  }

  holderOf(id: string): string {
    return this.jobs.get(id)!.workerId;
  }
}

const FAILURE = { code: 'PERFORMER_ERROR', message: 'no' };
const prefer = requirementText(requirement({ models: ['sdxl'] }));

t.test('given a worker that is preferred among those that wait, then it gets the job', (t) => {
  const play = new Waiting();
  play.join('a', ['flux']);
  play.join('b', ['sdxl']);
  play.waits('a');
  play.waits('b');
  t.equal(play.holderOf(play.submit({ prefer })), 'b');
  t.equal(play.holderOf(play.submit({ prefer })), 'a', 'nobody waits for the one that is preferred');
  t.end();
});

t.test('given a job that failed at a worker, then another one that waits gets it, and without one the same', (t) => {
  for (const others of [['b'], []]) {
    const play = new Waiting();
    for (const name of ['a', ...others]) play.join(name);
    const id = play.submit({});
    const [token] = play.waits('a');
    play.waits('a', [{ ...failed(token!), outcome: { kind: 'retry', failure: FAILURE, afterMs: 0 } }]);
    for (const name of others) play.waits(name);
    play.tick(1);
    t.match(play.jobs.get(id), { status: 'running', attempt: 2, workerId: others[0] ?? 'a' });
  }
  t.end();
});
