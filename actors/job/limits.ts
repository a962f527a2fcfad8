/** The limits of a partition by name, each with the lines that it holds. */
import { Limit, type ReadonlyLimit } from './limit.js';
import type { Line } from './line.js';
import type { LimitRule } from './queue-rules.js';

export class Limits {
  private readonly byName = new Map<string, Limit>();
  private readonly lines = new Map<ReadonlyLimit, Set<Line>>();

  get(name: string): Limit | undefined {
    return this.byName.get(name);
  }

  linesOf(limit: ReadonlyLimit): Iterable<Line> {
    return this.lines.get(limit) ?? [];
  }

  /** A line comes under the limits of its queue, its group and its key. What is running there counts from now on. */
  hold(line: Line): void {
    const { of: { rules }, type, key } = line;
    for (const rule of rules.limits) this.attach(line, rule.scope, true, rule);
    if (key === '') return;
    for (const rule of rules.keyLimits) {
      this.attach(line, `${rule.scope} ${rule.byType ? `${type} ` : ''}${rules.label}=${key}`, false, rule);
    }
  }

  release(line: Line): void {
    for (const limit of line.limits) {
      limit.running -= line.running;
      const others = this.lines.get(limit)!;
      others.delete(line);
      if (others.size > 0) continue;
      this.lines.delete(limit);
      this.byName.delete(limit.name);
    }
    line.limits.length = 0;
  }

  private attach(line: Line, name: string, isWide: boolean, rule: LimitRule): void {
    let limit = this.byName.get(name);
    if (limit === undefined) {
      limit = new Limit(name, isWide);
      this.byName.set(name, limit);
      this.lines.set(limit, new Set());
    }
    limit.rule = rule;
    this.lines.get(limit)!.add(line);
    limit.running += line.running;
    line.limits.push(limit);
  }
}
