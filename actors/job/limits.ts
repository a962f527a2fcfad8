/** The limits of a partition by name, each with the lines that it holds. */
import { Limit, type LimitRule } from './limit.js';
import type { Line } from './line.js';

export class Limits {
  private readonly byName = new Map<string, Limit>();

  get(name: string): Limit | undefined {
    return this.byName.get(name);
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
      limit.lines.delete(line);
      limit.running -= line.running;
      if (limit.lines.size === 0) this.byName.delete(limit.name);
    }
    line.limits.length = 0;
  }

  private attach(line: Line, name: string, isWide: boolean, rule: LimitRule): void {
    let limit = this.byName.get(name);
    if (limit === undefined) this.byName.set(name, (limit = new Limit(name, isWide)));
    limit.rule = rule;
    limit.lines.add(line);
    limit.running += line.running;
    line.limits.push(limit);
  }
}
