import t from 'tap';
import { submit } from '../actors/job/commands/submit.js';
import { list } from '../actors/queue/commands/list.js';
import { pause } from '../actors/queue/commands/pause.js';
import { validated } from '../protocols/bounds.js';
import { queue } from '../protocols/messages.js';
import { decodeRequest, formatOf } from './codec.js';
import { parseJson } from './json.js';

const parsed = (request: object) => parseJson(submit, Buffer.from(JSON.stringify(request)));

t.test('a payload is given once', (t) => {
  const twice = parsed({ type: 'x', payload: 1, payloadBase64: 'AAAA' });
  t.match(twice, { code: 'INVALID_ARGUMENT', message: /exclude each other/ });
  const inBase64 = parsed({ type: 'x', payloadBase64: 'AAAA' });
  t.match(inBase64, { message: { jobs: [{ contentType: 'application/octet-stream' }] }, alone: true });
  const listed = parsed({ jobs: [{ type: 'x' }], wait: true });
  t.match(listed, { message: { jobs: [{ type: 'x' }], wait: true }, alone: false });
  t.end();
});

t.test('a request that is no protobuf and does not begin with { says how JSON begins', (t) => {
  const hint = /; a request in JSON begins with "\{"$/;
  for (const request of [' {"queue":"a"}', '\ufeff{"queue":"a"}', '[]', '\n{}', '"a"', 'null']) {
    const bytes = Buffer.from(request);
    t.match(decodeRequest(pause, formatOf(bytes), bytes), { message: hint }, JSON.stringify(request));
  }
  t.end();
});

t.test('queue.list names the field that is wrong', (t) => {
  const check = (fields: object) => validated(() => list.check(queue.ListQueues.create(fields) as queue.ListQueues));
  t.match(check({ after: 'a b' }), { code: 'INVALID_ARGUMENT', message: /^after must be 1 to 64 of .*, not "a b"$/ });
  t.match(check({ limit: 0 }), { after: '', limit: 1_000 }, 'protobuf cannot tell 0 from absent');
  t.match(check({ limit: 1_001 }), { code: 'INVALID_ARGUMENT', message: /^limit .* not 1001$/ });
  t.end();
});
