/** An object store in memory. Tests only. */
import { broken, type ListedObject, type Metadata, type ObjectPlace } from '../objects.js';

interface Held {
  readonly metadata: Metadata;
  readonly body: Buffer;
}

export class MemoryObjects implements ObjectPlace {
  readonly held = new Map<string, Held>();

  async list(): Promise<ListedObject[]> {
    return [...this.held].map(([name, { metadata, body }]) => ({ name, bytes: body.length, metadata }));
  }

  async put(name: string, metadata: Metadata, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    if (body instanceof Uint8Array) chunks.push(body);
    else for await (const chunk of body) chunks.push(chunk);
    this.held.set(name, { metadata, body: Buffer.concat(chunks) });
  }

  async update(name: string, metadata: Metadata): Promise<ListedObject | undefined> {
    const { body } = this.find(name);
    this.held.set(name, { metadata, body });
    return { name, bytes: body.length, metadata };
  }

  async chunks(name: string): Promise<AsyncIterable<Uint8Array>> {
    const { body } = this.find(name);
    return (async function* () {
      yield body;
    })();
  }

  async get(name: string): Promise<Buffer> {
    return this.find(name).body;
  }

  async remove(name: string): Promise<void> {
    this.held.delete(name);
  }

  private find(name: string): Held {
    const held = this.held.get(name);
    if (held === undefined) throw broken(name, 'it is not there any more');
    return held;
  }
}
