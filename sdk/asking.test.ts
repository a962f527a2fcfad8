/** What a caller may believe of a request that was given up. */
import t from 'tap';
import { RepriseError, type Code } from '../protocols/errors.js';
import { connectNats } from '../streams/connect.js';
import { startServer } from '../streams/server/start.js';
import { Asking, conclusion, mayBeRecorded } from './asking.js';

const server = await startServer({ dataDir: t.testdir() });
const nc = await connectNats({ url: server.url, name: 'test', reconnect: false });
t.teardown(async () => {
  await nc.close();
  await server.stop();
});

/** Gives up after as many tries as there are errors. */
async function givenUp(...errors: readonly Code[]): Promise<RepriseError> {
  const left = [...errors];
  const asking = new Asking(nc, left.length === 1 ? -1 : 20);
  const budget = asking.budget();
  return asking.repeat<never>(async () => {
    const code = left.length > 1 ? left.shift()! : left[0]!;
    throw new RepriseError(code, `it met ${code}.`);
  }, budget).catch((error: unknown) => conclusion(error, budget) as RepriseError);
}

t.test('after no responders nothing was recorded, unless a try before may have been', async (t) => {
  t.match(await givenUp('NO_BROKER'), { code: 'NO_BROKER', message: 'it met NO_BROKER.' });
  t.match(await givenUp('TIMED_OUT', 'NO_BROKER'), { code: 'TIMED_OUT', message: /may have been recorded \(it met TIMED_OUT\.\); the retry failed: it met NO_BROKER\./ });
  t.match(await givenUp('SERVER_UNREACHABLE', 'NOT_LEADER'), { code: 'SERVER_UNREACHABLE' }, 'a connection that was lost in the middle');
  t.match(await givenUp('NO_BROKER', 'UNKNOWN'), { code: 'UNKNOWN', message: 'it met UNKNOWN.' });
  t.match(await givenUp('TIMED_OUT', 'DISK_FULL'), { code: 'TIMED_OUT' }, 'nor is a journal that takes nothing');
  t.match(await givenUp('TIMED_OUT', 'KEY_CONFLICT'), { code: 'KEY_CONFLICT', message: 'it met KEY_CONFLICT.' }, 'a decision is about all tries');
  t.same((['NO_BROKER', 'NOT_LEADER', 'OVERLOADED', 'TIMED_OUT', 'UNKNOWN', 'SERVER_UNREACHABLE'] as const).map(mayBeRecorded), [false, false, false, true, true, true]);
});
