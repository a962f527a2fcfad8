import { Command } from 'commander';
import t from 'tap';
import { jobOfFlags, jobOptions } from './submit-flags.js';

const job = (...given: string[]) => {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  for (const option of jobOptions()) command.addOption(option);
  return jobOfFlags(command.parse(given, { from: 'user' }).opts());
};

t.test('flags become the fields that they stand for', (t) => {
  t.same(job('--backoff', '10s'), { retry: { backoff: { listMs: [10_000] } } });
  t.same(job('--backoff', '500ms, 5s,1m'), { retry: { backoff: { listMs: [500, 5_000, 60_000] } } });
  t.same(job('--preset', 'FAST', '--max-crashes', '1', '--attempts', '2'), {
    retry: { preset: 'FAST', maxCrashes: 1, maxAttempts: 2 },
  });
  t.same(job('--expires', '2m', '--timeout', '5s'), { timeouts: { startMs: 120_000, attemptMs: 5_000 } });
  for (const wrong of [['--backoff', ''], ['--backoff', '1s,,2s'], ['--max-crashes', '0'], ['--expires', 'soon']]) {
    t.throws(() => job(...wrong), { code: 'commander.invalidArgument' }, wrong.join(' '));
  }
  t.end();
});
