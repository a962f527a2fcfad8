/**
 * Finds fields in encoded protobuf without decoding the rest: a commit holds hundreds of events, and of most of them
 * only one field is asked for. Meant for bytes that we wrote; anything else ends in a RangeError.
 */
const LENGTH_DELIMITED = 2;

/** Where a field's content lies. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Visits every length-delimited field between `start` and `end`. */
export function eachField(bytes: Uint8Array, { start, end }: Span, visit: (field: number, span: Span) => void): void {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError(`no varint at byte ${at}`);
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < end) {
    const tag = varint();
    switch (tag % 8) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case LENGTH_DELIMITED: {
        const length = varint();
        visit(Math.floor(tag / 8), { start: at, end: at + length });
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new RangeError(`wire type ${tag % 8} at byte ${at}`);
    }
  }
  if (at !== end) throw new RangeError(`a field goes beyond byte ${end}`);
}

/** The content of one field, or undefined when it is not there. */
export function fieldOf(bytes: Uint8Array, within: Span, wanted: number): Span | undefined {
  let found: Span | undefined;
  eachField(bytes, within, (field, span) => {
    if (field === wanted) found = span;
  });
  return found;
}
