/** Random requirements and capabilities for tests. Their names are few, so that many match. */
import fc from 'fast-check';

/** With names that objects have already, and with dots. */
const names = fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__', 'a.b');
const scalars = fc.oneof(fc.integer({ min: 0, max: 3 }), names, fc.boolean());
const members = <V>(values: fc.Arbitrary<V>) => fc.dictionary(names, values, { maxKeys: 2, noNullPrototype: true });
const nested = <V>(leaves: fc.Arbitrary<V>) => members(fc.oneof(leaves, members(leaves)));
const lists = fc.array(names, { maxLength: 3 });
const some = fc.array(names, { minLength: 1, maxLength: 3 });
const exists = fc.boolean();
const labelRule = fc.oneof(names, fc.record({ in: some }), fc.record({ notIn: some }), fc.record({ exists }),
  fc.record({ notIn: some, exists }), fc.record({ in: some, notIn: some }));
const unwantedLabel = fc.oneof(names, fc.record({ in: some }), fc.record({ exists }));
const compat = nested(fc.oneof(scalars, fc.array(scalars, { maxLength: 3 })));

/** A few of the fields: with all of them hardly anything matches. */
function fewOf<T extends object>(
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> }, most: number,
): fc.Arbitrary<Partial<T>> {
  const chosen = fc.subarray(Object.keys(fields), { maxLength: most });
  return fc.tuple(chosen, fc.record(fields)).map(([keys, all]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key))) as Partial<T>);
}

const parts = {
  services: lists, hardware: nested(scalars), models: lists, region: fc.oneof(names, some), compliance: lists,
};

const anyRequires = fewOf({
  ...parts,
  labels: members(labelRule),
  customer: names,
  compat: fewOf({ positive: compat, negative: compat }, 2),
  not: fewOf({ ...parts, labels: members(unwantedLabel), compat: fewOf({ positive: compat }, 1) }, 2),
}, 4);

/** One list of what is wanted is unwanted as well, which mostly contradicts itself. */
const contradictory = fc.tuple(anyRequires, fc.constantFrom('services', 'models', 'compliance', 'region', 'hardware'))
  .map(([wanted, field]) => {
    const value = wanted[field as keyof typeof parts];
    return value === undefined ? wanted : { ...wanted, not: { ...wanted.not, [field]: value } };
  });

export const requires = fc.oneof({ arbitrary: anyRequires, weight: 4 }, { arbitrary: contradictory, weight: 1 });

export const workers = fewOf({
  services: lists,
  models: fc.oneof(lists, members(lists)),
  hardware: nested(fc.oneof(scalars, lists)),
  labels: members(names),
  region: names,
  compliance: lists,
  customerAccess: fewOf({
    isolation: fc.constantFrom('strict', 'loose', 'none'), allowed: lists, denied: lists,
  }, 3),
  a: fc.oneof(scalars, lists, nested(fc.oneof(scalars, fc.constant(null), fc.array(scalars, { maxLength: 3 })))),
  b: fc.oneof(scalars, fc.array(scalars, { maxLength: 3 })),
}, 9);
