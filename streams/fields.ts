/**
 * Iterates over encoded protobuf without decoding it: a commit holds hundreds of events, and usually one field of one
 * of them is wanted. For bytes that we wrote; anything else throws a RangeError.
 */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** A cursor over the length-delimited fields between two offsets. */
export class Fields {
  /** Where the field that {@link next} found begins, with its tag, and where its bytes are. */
  tagAt = 0;
  start = 0;
  end = 0;
  private at: number;

  constructor(
    private readonly bytes: Uint8Array,
    from: number,
    private readonly to: number,
  ) {
    this.at = from;
  }

  /** Goes to the next field. @returns its number, or 0 after the last */
  next(): number {
    while (this.at < this.to) {
      this.tagAt = this.at;
      const tag = this.varint();
      switch (tag % 8) {
        case VARINT:
          this.varint();
          break;
        case FIXED64:
          this.at += 8;
          break;
        case FIXED32:
          this.at += 4;
          break;
        case LENGTH_DELIMITED:
          this.end = this.varint();
          this.start = this.at;
          this.end += this.start;
          this.at = this.end;
          if (this.at > this.to) throw new RangeError(`a field goes beyond byte ${this.to}`);
          return Math.floor(tag / 8);
        default:
          throw new RangeError(`wire type ${tag % 8} at byte ${this.at}`);
      }
    }
    if (this.at !== this.to) throw new RangeError(`a field goes beyond byte ${this.to}`);
    return 0;
  }

  /** Goes to the next field of that number. @returns whether there is one */
  seek(wanted: number): boolean {
    for (let field = this.next(); field !== 0; field = this.next()) if (field === wanted) return true;
    return false;
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError(`no varint at byte ${this.at}`);
      this.at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
}
