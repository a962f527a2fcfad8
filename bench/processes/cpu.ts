/** CPU time of processes with all their threads and descendants, from Linux's /proc. */
import { readdir, readFile } from 'node:fs/promises';

/** Linux reports hundredths of a second on every architecture that Node supports. */
const TICKS_PER_SECOND = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

export type CpuSeconds = Readonly<Record<string, number>>;

/** @returns CPU seconds until now, by role; undefined without /proc */
export async function cpuSeconds(roles: Readonly<Record<string, readonly number[]>>): Promise<CpuSeconds | undefined> {
  const processes = await readProcesses();
  if (processes.length === 0) return undefined;
  const seconds = Object.entries(roles).map(([role, pids]) => {
    const total = withDescendants(processes, pids).reduce((sum, { ticks }) => sum + ticks, 0);
    return [role, total / TICKS_PER_SECOND] as const;
  });
  return Object.fromEntries(seconds);
}

/** The children of a process, their children, and so on. */
export async function descendantsOf(ancestor: number): Promise<number[]> {
  return withDescendants(await readProcesses(), [ancestor]).map(({ pid }) => pid).filter((pid) => pid !== ancestor);
}

function withDescendants(processes: readonly Process[], pids: readonly number[]): Process[] {
  const wanted = new Set(pids);
  for (let size = 0; size !== wanted.size; ) {
    size = wanted.size;
    for (const { pid, parent } of processes) if (wanted.has(parent)) wanted.add(pid);
  }
  return processes.filter(({ pid }) => wanted.has(pid));
}

async function readProcesses(): Promise<Process[]> {
  const names = (await readdir('/proc').catch(() => [] as string[])).filter((name) => /^\d+$/.test(name));
  const read = await Promise.all(names.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined)));
  return read.flatMap((stat) => (stat === undefined ? [] : [parseStat(stat)]));
}

/** The second field is the program's name in brackets, which may contain spaces, so fields are counted from its end. */
export function parseStat(stat: string): Process {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  const at = (field: number): number => fields[field - 3] ?? 0;
  // utime, stime, cutime and cstime: of the process, and of its children that have ended.
  return { pid: Number.parseInt(stat, 10), parent: at(4), ticks: at(14) + at(15) + at(16) + at(17) };
}
