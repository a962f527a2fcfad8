/** Numbers and byte strings one after another, as the tables and blocks of an archive have them. */
import { varintBytes, withRoom, writeVarint } from '../content.js';

const INITIAL_BYTES = 16 * 1024;
const FEW_BYTES = 48;

export class ByteWriter {
  size = 0;
  private bytes: Buffer<ArrayBuffer>;

  constructor(private readonly initialBytes = INITIAL_BYTES) {
    this.bytes = Buffer.allocUnsafe(initialBytes);
  }

  varint(value: number): void {
    this.reserve(varintBytes(value));
    this.size = writeVarint(this.bytes, this.size, value);
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
  }

  /** A part of it. A view of it would cost more than a loop over few bytes. */
  putPart(bytes: Uint8Array, from: number, to: number): void {
    if (to - from > FEW_BYTES) return this.put(bytes.subarray(from, to));
    this.reserve(to - from);
    for (let at = from; at < to; at += 1) this.bytes[this.size++] = bytes[at]!;
  }

  /** Overwrites bytes that were put before. */
  clear(from: number, to: number): void {
    this.bytes.fill(0, from, to);
  }

  /** With its length before it. */
  delimited(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.put(bytes);
  }

  /** What was written since the last call. The memory is handed over. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.size);
    this.bytes = Buffer.allocUnsafe(this.initialBytes);
    this.size = 0;
    return taken;
  }

  private reserve(more: number): void {
    this.bytes = withRoom(this.bytes, this.size, more);
  }
}

/** @throws RangeError if the bytes end too early or a number is too large */
export class ByteReader {
  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
    private readonly to = bytes.length,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.to;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.at >= this.to || scale > 2 ** 49) throw new RangeError(`no number at byte ${this.at}`);
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    if (this.at + length > this.to) throw new RangeError(`bytes are missing at ${this.at}`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  delimited(): Uint8Array {
    return this.take(this.varint());
  }
}
