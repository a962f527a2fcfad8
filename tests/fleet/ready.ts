/** The ready jobs of the checker, in sorted lists: one for each queue, type, requirement and tenant. */
export interface Waiting {
  readonly queue: string;
  readonly type: string;
  readonly require: string;
  readonly tenant: string;
  readonly priority: number;
  readonly place: number;
}

export class Ready {
  private readonly lists = new Map<string, Waiting[]>();

  add(job: Waiting): void {
    const name = nameOf(job);
    let list = this.lists.get(name);
    if (list === undefined) this.lists.set(name, (list = []));
    list.splice(indexIn(list, job), 0, job);
  }

  remove(job: Waiting): void {
    const list = this.lists.get(nameOf(job))!;
    const at = indexIn(list, job);
    if (list[at] !== job) throw new Error(`place ${job.place} is not ready`);
    list.splice(at, 1);
  }

  /** The first of each list. */
  *firsts(): Generator<Waiting> {
    for (const list of this.lists.values()) if (list.length > 0) yield list[0]!;
  }
}

const nameOf = ({ queue, type, require, tenant }: Waiting): string => JSON.stringify([queue, type, require, tenant]);

/** Where a job is, or would be. */
function indexIn(list: readonly Waiting[], { priority, place }: Waiting): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle]!;
    const isBefore = other.priority === priority ? other.place < place : other.priority > priority;
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}
