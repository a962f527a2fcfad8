import t from 'tap';
import { submit } from '../actors/job/commands/submit.js';
import { parseJson } from './json.js';

const parsed = (request: object) => parseJson(submit, Buffer.from(JSON.stringify(request)));

t.test('a payload is given once', (t) => {
  t.match(parsed({ type: 'x', payload: 1, payloadBase64: 'AAAA' }), { code: 'INVALID_ARGUMENT', message: /exclude each other/ });
  t.match(parsed({ type: 'x', payloadBase64: 'AAAA' }), { message: { jobs: [{ contentType: 'application/octet-stream' }] }, alone: true });
  t.match(parsed({ jobs: [{ type: 'x' }], wait: true }), { message: { jobs: [{ type: 'x' }], wait: true }, alone: false });
  t.end();
});
