import { hash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { blocksOf, partsIn, type StatePart } from './blocks.js';

const partOf = (name: string, bytes: Buffer): StatePart =>
  ({ name, bytes: () => bytes, hash: () => hash('sha256', bytes, 'buffer') });

async function written(parts: readonly StatePart[]): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of blocksOf(parts)) blocks.push(block);
  return Buffer.concat(blocks);
}

/** @param chunkBytes as an object store may cut it. @returns name and hash of each part */
async function read(bytes: Buffer, chunkBytes = bytes.length): Promise<[string, string][]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const parts: [string, string][] = [];
  for await (const { name, bytes: body } of partsIn(chunks())) parts.push([name, hash('sha256', body, 'hex')]);
  return parts;
}

const anyPart = fc.record({
  name: fc.string({ maxLength: 12 }),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat(2).map((mb) => new Uint8Array(mb * 700_000)),
  ).map((bytes) => Buffer.from(bytes)),
});

t.test('property: parts are read as they were written, however their bytes are cut', async () => {
  const anyCut = fc.integer({ min: 20, max: 5_000 });
  await fc.assert(fc.asyncProperty(fc.array(anyPart, { maxLength: 4 }), anyCut, async (parts, cut) => {
    const found = await read(await written(parts.map(({ name, bytes }) => partOf(name, bytes))), cut);
    const wanted = parts.map(({ name, bytes }) => [name, hash('sha256', bytes, 'hex')]);
    return JSON.stringify(found) === JSON.stringify(wanted);
  }), { numRuns: 30 });
});

const some = [partOf('rows', Buffer.alloc(200, 'row')), partOf('ids', hash('sha256', 'ids', 'buffer'))];

t.test('given a flipped bit anywhere, then it is an error or shows in the parts', async (t) => {
  const bytes = await written(some);
  const whole = JSON.stringify(await read(bytes));
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1 << (at % 8);
    const found = await read(changed).then((parts) => JSON.stringify(parts), () => 'an error');
    // Bits behind the end of the compressed data say nothing.
    if (found === whole && at < bytes.length - 2) t.fail(`byte ${at} of ${bytes.length}`);
  }
});

t.test('given bytes that are cut, then it is an error, or all parts behind the cut are missing', async (t) => {
  const bytes = Buffer.concat([await written(some), await written(some)]);
  const first = (await written(some)).length;
  for (let length = 1; length < bytes.length; length += 1) {
    if (length === first) t.equal((await read(bytes.subarray(0, length))).length, 2, 'the number of parts tells');
    else await read(bytes.subarray(0, length)).then(() => t.fail(`cut at ${length}`), () => undefined);
  }
});
