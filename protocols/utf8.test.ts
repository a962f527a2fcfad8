import fc from 'fast-check';
import t from 'tap';
import { encoded } from './encoded.js';
import { job } from './messages.js';

const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 150 });
const anyText = anyUnits.map((units) => String.fromCharCode(...units));

t.test('every text that is encoded can be decoded; half of a surrogate pair becomes U+FFFD', (t) => {
  fc.assert(fc.property(fc.oneof(anyText, fc.string({ unit: 'binary' })), (text) => {
    const bytes = encoded(job.Failure, { message: text });
    return job.Failure.decode(bytes).message === Buffer.from(text).toString();
  }), { numRuns: 500 });
  t.end();
});
