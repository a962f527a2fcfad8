/** Progress of a backup or a restore on stderr, because stdout has the result: a bar on a terminal, else nothing. */
import { MultiBar, type SingleBar } from 'cli-progress';

export interface PartitionsBar {
  update(partition: number, seq: number, firstSeq: number, untilSeq: number): void;
  end(): void;
}

const NONE: PartitionsBar = { update: () => undefined, end: () => undefined };

export function partitionsBar(isShown: boolean): PartitionsBar {
  if (!isShown || !process.stderr.isTTY) return NONE;
  const all = new MultiBar({
    format: 'partition {partition} [{bar}] {percentage} %  {value}/{total}', stream: process.stderr, hideCursor: true,
    barsize: 30, barCompleteChar: '█', barIncompleteChar: '░', fps: 5,
  });
  const bars = new Map<number, SingleBar>();
  return {
    update: (partition, seq, firstSeq, untilSeq) => {
      let bar = bars.get(partition);
      if (!bar) bars.set(partition, (bar = all.create(Math.max(1, untilSeq - firstSeq + 1), 0, { partition })));
      bar.update(Math.max(0, seq - firstSeq + 1));
    },
    end: () => all.stop(),
  };
}
