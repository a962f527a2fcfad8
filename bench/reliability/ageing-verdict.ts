/** The table of an ageing run, and whether memory, disk and start are flat: the last third beside the middle one. */
import { median } from '../output/statistics.js';

export interface Sample {
  /** Of load. */
  readonly seconds: number;
  readonly jobs: number;
  readonly residentMb: number;
  readonly collectedMb: number;
  readonly journalBytes: number;
  readonly snapshotBytes: number;
  readonly archiveBytes: number;
  readonly indexBytes: number;
  /** Of journal and snapshots. */
  readonly serverFiles: number;
  /** Of readers that the server still knows: minutes of them. */
  readonly consumerFiles: number;
  /** Of archive and index, which grow with what they remember. */
  readonly otherFiles: number;
  /** From the start of a process to its first answer, and from the election to leading. */
  readonly startMs: number;
  readonly leadingMs: number;
  readonly firstSeq: number;
  /** Since the sample before. */
  readonly snapshots: number;
  readonly truncations: number;
  /** What the broker warned of. */
  readonly problems: readonly string[];
}

export interface Verdict {
  readonly isFlat: boolean;
  readonly text: string;
}

interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly of: (sample: Sample) => number;
  /** The last third may be above the middle one by this share, and this much more. */
  readonly share: number;
  readonly plus: number;
}

const MB = 1e6;
/** In a short run the server has removed none of them yet. */
const LONG: Measure =
  { name: 'files of consumers', unit: '', of: ({ consumerFiles }) => consumerFiles, share: 0.25, plus: 20 };
/** Journal and snapshots are saws: a tooth is as high as a policy allows. */
const MEASURES: readonly Measure[] = [
  { name: 'memory after a collection', unit: 'MB', of: (each) => each.collectedMb, share: 0.1, plus: 10 },
  { name: 'journal', unit: 'MB', of: ({ journalBytes }) => journalBytes / MB, share: 0.25, plus: 8 },
  { name: 'snapshots', unit: 'MB', of: ({ snapshotBytes }) => snapshotBytes / MB, share: 0.25, plus: 8 },
  { name: 'files of journal and snapshots', unit: '', of: ({ serverFiles }) => serverFiles, share: 0.25, plus: 4 },
  { name: 'start', unit: 'ms', of: ({ startMs }) => startMs, share: 0.25, plus: 500 },
];
/** Below this a run shows that nothing runs away, but the memory of a young process still grows. */
const SHORT_MINUTES = 5;
const SHORT_FACTOR = 4;

export function verdictsOf(samples: readonly Sample[], minutes: number): Verdict[] {
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [samples.slice(third, -third), samples.slice(-third)];
  const isShort = minutes < SHORT_MINUTES;
  const factor = isShort ? SHORT_FACTOR : 1;
  const flat = [...MEASURES, ...(isShort ? [] : [LONG])].map(({ name, unit, of, share, plus }): Verdict => {
    const [before, after] = [median(middle.map(of)), median(last.map(of))];
    const most = before * (1 + share * factor) + plus * factor;
    const isFlat = after <= most;
    const numbers = [before, after, most].map((number) => number.toFixed(1));
    const text = `${name}: middle third ${numbers[0]}, last third ${numbers[1]}, flat up to ${numbers[2]} ${unit}`;
    return { isFlat, text: `${isFlat ? 'ok ' : 'NOT'} ${text.trim()}` };
  });
  return [...flat, happened(samples), silent(samples), perJob(samples)];
}

function happened(samples: readonly Sample[]): Verdict {
  const sum = (of: (sample: Sample) => number): number => samples.reduce((total, each) => total + of(each), 0);
  const [snapshots, truncations] = [sum((each) => each.snapshots), sum((each) => each.truncations)];
  const isFlat = snapshots > 3 && truncations > 3 && samples.at(-1)!.firstSeq > samples[0]!.firstSeq;
  const text = `${snapshots} snapshots, ${truncations} truncations, the journal begins at ${samples.at(-1)!.firstSeq}`;
  return { isFlat, text: `${isFlat ? 'ok ' : 'NOT'} ${text}` };
}

function silent(samples: readonly Sample[]): Verdict {
  const problems = new Set(samples.flatMap((each) => each.problems));
  const isFlat = problems.size === 0;
  return { isFlat, text: isFlat ? 'ok  the broker warned of nothing' : `NOT ${[...problems].join('; ')}` };
}

/** Archive and index grow with what they remember. It is no verdict. */
function perJob(samples: readonly Sample[]): Verdict {
  const [middle, last] = [samples[Math.floor(samples.length / 3)]!, samples.at(-1)!];
  const each = (of: (sample: Sample) => number): string =>
    ((of(last) - of(middle)) / Math.max(1, last.jobs - middle.jobs)).toFixed(1);
  const text = `a job adds ${each((one) => one.archiveBytes)} bytes of archive on disk, ` +
    `${each((one) => one.indexBytes)} of index, ${last.jobs} jobs in all`;
  return { isFlat: true, text: `    ${text}` };
}

const COLUMNS: readonly (readonly [string, (sample: Sample) => string])[] = [
  ['s', ({ seconds }) => String(seconds)],
  ['       jobs', ({ jobs }) => String(jobs)],
  ['resident MB', ({ residentMb }) => String(residentMb)],
  ['collected MB', ({ collectedMb }) => String(collectedMb)],
  ['journal MB', ({ journalBytes }) => (journalBytes / MB).toFixed(1)],
  ['snapshots MB', ({ snapshotBytes }) => (snapshotBytes / MB).toFixed(1)],
  ['archive MB', ({ archiveBytes }) => (archiveBytes / MB).toFixed(1)],
  ['index MB', ({ indexBytes }) => (indexBytes / MB).toFixed(1)],
  ['server files', ({ serverFiles }) => String(serverFiles)],
  ['consumer files', ({ consumerFiles }) => String(consumerFiles)],
  ['other files', ({ otherFiles }) => String(otherFiles)],
  ['start ms', ({ startMs }) => startMs.toFixed(0)],
  ['leading ms', ({ leadingMs }) => leadingMs.toFixed(0)],
];

export function tableOf(samples: readonly Sample[]): string[] {
  const rows = [COLUMNS.map(([name]) => name), ...samples.map((each) => COLUMNS.map(([, of]) => of(each)))];
  return rows.map((row) => row.map((cell, at) => cell.padStart(COLUMNS[at]![0].length + 2)).join(''));
}
