/** Capabilities of workers: what is accepted, in which form, and what is refused. */
import fc from 'fast-check';
import t from 'tap';
import { validated } from '../../protocols/bounds.js';
import { capabilities, capabilitiesText } from './capabilities.js';
import { workers } from '../../tests/matching/documents.js';

const textOf = (given: unknown): unknown => validated(() => capabilitiesText(capabilities(given)));

t.test('property: the canonical text is a fixed point', async (t) => {
  fc.assert(fc.property(workers, (worker) => {
    const text = textOf(worker);
    return typeof text !== 'string' || (textOf(text) === text && textOf(JSON.stringify(worker, null, 1)) === text);
  }), { numRuns: 500 });
  t.pass();
});

t.test('given documents, then their canonical texts', async (t) => {
  const cases: [unknown, string][] = [
    ['', ''], ['{}', ''], [{}, ''],
    [{ models: ['b', 'a', 'b'], region: 'eu' }, '{"models":["a","b"],"region":"eu"}'],
    [{ models: { z: ['b', 'a'], y: [] } }, '{"models":{"y":[],"z":["a","b"]}}'],
    [{ own: [2, 1, null, { b: -0, a: 'x\ny' }] }, '{"own":[2,1,null,{"a":"x\\ny","b":0}]}'],
    ['{"__proto__":{"isAdmin":true}}', '{"__proto__":{"isAdmin":true}}'],
    [{ labels: { 'kubernetes.io/os': 'linux', empty: '' } }, '{"labels":{"empty":"","kubernetes.io/os":"linux"}}'],
  ];
  for (const [given, text] of cases) t.equal(textOf(given), text, JSON.stringify(given));
  t.equal(({} as { isAdmin?: unknown }).isAdmin, undefined);
});

t.test('given what is over a bound or no JSON, then it is refused with the path', async (t) => {
  let deep: unknown = 1;
  for (let nth = 0; nth < 100_000; nth += 1) deep = [deep];
  const cases: [unknown, string][] = [
    [{ own: deep }, `capabilities.own${'[0]'.repeat(7)} is nested deeper than 8`],
    [`{"own":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, `capabilities.own${'[0]'.repeat(7)} is nested deeper than 8`],
    [{ own: 'x'.repeat(65_536) }, 'capabilities must have at most 65536 bytes, not 65546'],
    [' '.repeat(65_537), 'capabilities must have at most 65536 bytes, not 65537'],
    [{ own: Array.from({ length: 20_000 }, () => 1) }, 'capabilities.own[9998] is one of more than 10000 values'],
    [{ own: '\udc00' }, 'capabilities.own must not hold half of a surrogate pair'],
    [{ own: Number.POSITIVE_INFINITY }, 'capabilities.own must be finite, not Infinity'],
    [{ own: () => 1 }, 'capabilities.own must be a JSON value, not function'],
    [{ own: 1n }, 'capabilities.own must be a JSON value, not bigint'],
    [{ own: new Date(0) }, 'capabilities.own must be an object, not an instance of a class'],
    [{ hardware: [] }, 'capabilities.hardware must be an object, not a list'],
    [{ compliance: ['gdpr', 1] }, 'capabilities.compliance[1] must be a text, not 1'],
    [{ models: { comfyui: 'sdxl' } }, 'capabilities.models.comfyui must be a list, not "sdxl"'],
    [{ 'a\nb': 1 }, 'the name of a member of capabilities must not hold control characters'],
    ['{', 'capabilities is not JSON'], ['7', 'capabilities must be an object, not 7'],
  ];
  for (const [given, words] of cases) {
    const answer = validated(() => capabilities(given)) as { code?: string; message?: string };
    t.equal(answer.code, 'CAPABILITIES_INVALID', words);
    t.ok(answer.message?.includes(words), String(answer.message));
  }
});

t.test('given capabilities, then they are frozen to the ground', async (t) => {
  const given = { own: { list: [{ a: 1 }] } };
  const has = capabilities(given);
  t.throws(() => Object.assign((has.own as typeof given.own).list[0]!, { a: 2 }));
  given.own.list[0]!.a = 2;
  t.equal(capabilitiesText(has), '{"own":{"list":[{"a":1}]}}', 'and not those that were given');
});
