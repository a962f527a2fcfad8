/**
 * Progress of long work, on stderr, so that stdout is the output alone: a line that is written again and again on a
 * terminal, elsewhere a line every few seconds. Work that ends sooner prints nothing elsewhere.
 */
const TERMINAL_EVERY_MS = 100;
const EVERY_MS = 5_000;
const CLEAR_LINE = '\r\u001b[K';

export class Progress {
  private printedMs = performance.now();
  private isShown = false;

  show(text: string): void {
    const { isTTY } = process.stderr;
    const nowMs = performance.now();
    if (nowMs - this.printedMs < (isTTY ? TERMINAL_EVERY_MS : EVERY_MS)) return;
    this.printedMs = nowMs;
    process.stderr.write(isTTY ? `${CLEAR_LINE}${text}` : `${text}\n`);
    this.isShown = Boolean(isTTY);
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.isShown) process.stderr.write(CLEAR_LINE);
    this.isShown = false;
  }
}
