/** Names of queues and groups, and the partitions that they are in. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { groupOf, isGroupName, isQueueName, partitionOfQueue } from './ids.js';

t.test('the group is the text before the slash', (t) => {
  const table = [['images/high', 'images'], ['a', 'a'], ['images/', 'images'], ['images', 'images']] as const;
  for (const [queue, group] of table) t.equal(groupOf(queue), group);
  t.end();
});

t.test('names of queues, of groups, and what is neither', (t) => {
  const long = 'n'.repeat(64);
  const table: [name: string, isQueue: boolean, isGroup: boolean][] = [
    ['a', true, false], ['images/high', true, false], [`${long}/${long}`, true, false], ['images/', false, true],
    ['', false, false], ['/', false, false], ['/a', false, false], ['a/b/', false, false], ['a/b/c', false, false],
    ['a//b', false, false], [`${long}n/a`, false, false], [`a/${long}n`, false, false], [`${long}n/`, false, false],
    ['*', false, false], ['images/*', false, false], ['images/>', false, false], ['*/high', false, false],
    ['a.b', false, false], ['a/b.c', false, false], ['a /b', false, false], ['a/b\n', false, false],
  ];
  for (const [name, isQueue, isGroup] of table) {
    t.strictSame([isQueueName(name), isGroupName(name)], [isQueue, isGroup], JSON.stringify(name));
  }
  t.end();
});

t.test('property: a group is in one partition, and a name without a group is where it always was', (t) => {
  const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  fc.assert(fc.property(part, part, fc.integer({ min: 1, max: 256 }), (group, name, partitions) => {
    const before = createHash('sha256').update(group).digest().readUInt32BE(0) % partitions;
    return [group, `${group}/`, `${group}/${name}`].every((each) => partitionOfQueue(each, partitions) === before);
  }));
  t.end();
});
