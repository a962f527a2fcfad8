/** For texts. @param unixMs milliseconds since 1970 */
export const isoTime = (unixMs: number): string => new Date(unixMs).toISOString();
