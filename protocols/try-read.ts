/** What a parser or decoder makes of input that may be malformed; undefined if it throws. */
export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
