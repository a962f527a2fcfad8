/** Matching against a second matcher, on random requirements and capabilities. */
import fc from 'fast-check';
import t from 'tap';
import { Invalid } from '../../protocols/bounds.js';
import { capabilities, capabilitiesText, type Capabilities } from './capabilities.js';
import { requires, workers } from '../../tests/matching/documents.js';
import { lacks, lackText, matches } from './match.js';
import { naiveMatches } from '../../tests/matching/naive.js';
import { NO_REQUIREMENT, requirement, requirementOf, requirementText, type Requirement } from './requirement.js';

/** What is refused, by its code. */
function tried<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof Invalid) return error.code;
    throw error;
  }
}

t.test('property: a match is what the naive matcher says, and lacks are empty exactly then', async (t) => {
  const seen = { matched: 0, missed: 0, contradictory: 0 };
  fc.assert(fc.property(requires, workers, (required, worker) => {
    const made = tried(() => requirement(required));
    const has = tried(() => capabilities(worker));
    if (typeof has === 'string' || made === 'REQUIREMENT_INVALID') return true;
    const expected = naiveMatches(required, worker);
    seen[typeof made === 'string' ? 'contradictory' : expected ? 'matched' : 'missed'] += 1;
    // No worker matches what contradicts itself.
    if (typeof made === 'string') return !expected;
    const again = matches(requirementOf(requirementText(made)), capabilities(capabilitiesText(has)));
    return [matches(made, has), lacks(made, has).length === 0, again].every((each) => each === expected);
  }), { numRuns: 2_000 });
  t.ok(Object.values(seen).every((count) => count > 20), `all kinds were drawn: ${JSON.stringify(seen)}`);
});

/** A worker that has what is required, and nothing else. */
function witness({ services, models, compliance, region, hardware, labels, not, customer }: Requirement): Capabilities {
  const labelled = Object.entries(labels ?? {}).flatMap(([name, rule]) => {
    if (typeof rule === 'string') return [[name, rule]];
    if ('in' in rule) return [[name, rule.in[0]]];
    return rule.exists === true ? [[name, 'another']] : [];
  });
  return capabilities({
    ...(services && { services }), ...(models && { models }), ...(compliance && { compliance }),
    ...(hardware && { hardware }), labels: Object.fromEntries(labelled) as object,
    region: [region ?? 'another'].flat()[0], ...(not && { note: 'has nothing that is unwanted' }),
    customerAccess: { isolation: 'strict', allowed: customer === undefined ? [] : [customer] },
  });
}

t.test('property: some worker matches whatever is accepted', async (t) => {
  fc.assert(fc.property(requires, (required) => {
    const { compat: _, ...own } = required;
    const made = tried(() => requirement({ ...own, customer: 'acme', not: { ...own.not, compat: {} } }));
    return typeof made === 'string' || lacks(made, witness(made)).length === 0;
  }), { numRuns: 500 });
  t.pass();
});

t.test('given a worker that lacks something, then each lack says what is wanted and what is there', async (t) => {
  const required = requirement({
    hardware: { gpuMemoryGb: 16, gpuModel: 'A100' }, models: ['sdxl', 'flux'], services: ['render'],
    labels: { tier: { in: ['gold', 'silver'] }, spot: { exists: false }, zone: { notIn: ['z'], exists: true } },
    compliance: ['gdpr'], customer: 'acme', compat: { positive: { 'performance.jobs': 4, tags: ['x', 1] } },
    not: { region: ['eu', 'uk'], compat: { positive: { rented: true } } },
  });
  const worker = capabilities({
    hardware: { gpuMemoryGb: 8 }, models: { comfyui: ['sdxl'] }, labels: { tier: 'free', spot: 'yes' }, region: 'eu',
    tags: ['x'], rented: true, customerAccess: { isolation: 'strict', allowed: ['other'], denied: ['acme'] },
  });
  t.strictSame(lacks(required, worker).map(lackText), [
    'customerAccess: wants access for customer "acme", has isolation strict, allowed: "other", denied: "acme"',
    'services: wants "render", has nothing',
    'models: wants "flux", has "sdxl"',
    'compliance: wants "gdpr", has nothing',
    'hardware.gpuMemoryGb: wants at least 16, has 8',
    'hardware.gpuModel: wants "A100", has nothing',
    'labels.spot: wants nothing, has "yes"',
    'labels.tier: wants one of "gold", "silver", has "free"',
    'labels.zone: wants any value, has nothing',
    'performance.jobs: wants at least 4, has nothing',
    'tags: wants exactly 1, has "x"',
    'region: wants not one of "eu", "uk", has "eu"',
    'rented: wants not true, has true',
  ]);
});

t.test('given workers that lack the same, then path and wanted are the same', async (t) => {
  const required = requirement({ hardware: { gpuMemoryGb: 16 } });
  const [one, other] = [{}, { hardware: { gpuMemoryGb: 8 } }].map((each) => lacks(required, capabilities(each))[0]!);
  t.strictSame([one!.path, one!.wanted], [other!.path, other!.wanted]);
  t.strictSame([one!.found, other!.found], ['nothing', '8']);
});

t.test('given a worker with strict isolation, then a job that asks for nothing does not match it', async (t) => {
  t.notOk(matches(NO_REQUIREMENT, capabilities({ customerAccess: { isolation: 'strict', allowed: ['acme'] } })));
  t.ok(matches(NO_REQUIREMENT, capabilities({})));
});

t.test('given long lists, then what is found is shown short', async (t) => {
  const models = Array.from({ length: 30 }, (_, nth) => `model${nth}`.padEnd(200, 'x'));
  const [lack] = lacks(requirement({ models: ['sdxl'] }), capabilities({ models }));
  t.ok(lack!.found.length < 800);
  t.match(lack!.found, /and 22 more$/);
});
