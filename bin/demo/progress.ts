/** Shows progress: a bar on a terminal, a line every two seconds elsewhere. */
import { SingleBar } from 'cli-progress';
import { print } from '../terminal.js';

const EVERY_MS = 2_000;

export interface ProgressBar {
  update(done: number): void;
  end(): void;
}

export function progress(what: string, total: number): ProgressBar {
  return process.stdout.isTTY ? bar(what, total) : lines(what, total);
}

function bar(what: string, total: number): ProgressBar {
  const shown = new SingleBar({
    format: `${what.padEnd(11)} [{bar}] {percentage} %  {value}/{total}  {eta_formatted} left`,
    stream: process.stdout, hideCursor: true, barsize: 30, barCompleteChar: '█', barIncompleteChar: '░', fps: 5,
  });
  shown.start(total, 0);
  return { update: (done) => shown.update(done), end: () => shown.stop() };
}

function lines(what: string, total: number): ProgressBar {
  let printedMs = performance.now();
  let last = 0;
  const printLine = (): void => {
    printedMs = performance.now();
    print(`${what}: ${last} of ${total}`);
  };
  return {
    update: (done) => {
      last = done;
      if (performance.now() - printedMs >= EVERY_MS) printLine();
    },
    end: printLine,
  };
}
