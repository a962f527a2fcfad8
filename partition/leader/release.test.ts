import t from 'tap';
import { message, type Reply, type ReplyReceiver, type Sooner } from '../../actors/reply.js';
import { RepriseError } from '../../protocols/errors.js';
import { release } from './release.js';

const broken = new RepriseError('JOURNAL_BROKEN', 'The content of event 5.2 was changed.');
const refusals: [string, unknown, object][] = [
  ['an operating error', broken, { code: 'JOURNAL_BROKEN', message: broken.message }],
  ['any other error', new Error('no connection'), { code: 'UNKNOWN', message: /could not be read: no connection/ }],
  ['a code that no refusal has', new RepriseError('PERFORMER_ERROR', 'odd'), { code: 'UNKNOWN', message: /odd/ }],
];

const released = (make: () => Sooner<Reply>): Promise<Reply> =>
  new Promise((reply) => release({ replyTo: 'replyTo', reply } as ReplyReceiver, make));

for (const [what, error, refused] of refusals) {
  t.test(`given ${what}, when a reply is made, then the request is refused with ${JSON.stringify(refused)}`, async (t) => {
    t.match(await released(() => Promise.reject(error as Error)), { refused }, 'later');
    t.match(await released(() => { throw error; }), { refused }, 'at once');
  });
}

t.test('given a reply, then it is sent', async (t) => {
  t.same(await released(() => message({ n: 1 })), { message: { n: 1 } });
  t.same(await released(() => Promise.resolve(message({ n: 2 }))), { message: { n: 2 } });
});
