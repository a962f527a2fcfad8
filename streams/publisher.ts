/**
 * Publishes many small messages at the cost of few: they are laid behind one another in one buffer, as the protocol has
 * them, and handed to the client as one command. Three facts a job are published, and `publish` takes 2.4 µs each.
 */
import type { NatsConnection } from '@nats-io/nats-core';

const ROOM_BYTES = 64 * 1024;
const MOST_COMMAND_BYTES = 512;

/** The client's own way to write a command. It does not promise to keep it, so package.json names the very version. */
interface Protocol {
  sendCommand(command: Uint8Array): void;
}

export class Publisher {
  readonly #nc: NatsConnection;
  #frame = Buffer.allocUnsafe(ROOM_BYTES);
  #length = 0;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
  }

  /** @param subject ASCII @param parts the message, in pieces */
  publish(subject: string, parts: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.#makeRoom(bytes + MOST_COMMAND_BYTES);
    if (this.#length === 0) queueMicrotask(() => this.#send());
    this.#length += this.#frame.write(`PUB ${subject} ${bytes}\r\n`, this.#length, 'latin1');
    for (const part of parts) {
      this.#frame.set(part, this.#length);
      this.#length += part.length;
    }
    this.#length += this.#frame.write('\r\n', this.#length, 'latin1');
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#frame.length) return;
    this.#send();
    if (bytes > this.#frame.length) this.#frame = Buffer.allocUnsafe(bytes);
  }

  /** The client holds on to what it is given, so the next messages get a buffer of their own. */
  #send(): void {
    if (this.#length === 0) return;
    const { protocol } = this.#nc as unknown as { protocol: Protocol };
    if (!this.#nc.isClosed()) protocol.sendCommand(this.#frame.subarray(0, this.#length));
    this.#frame = Buffer.allocUnsafe(ROOM_BYTES);
    this.#length = 0;
  }
}
