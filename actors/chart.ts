/**
 * An XState chart is the one definition of which event may follow in which status. A folded chart is topology only:
 * flat, without guards, `always`, `after`, invoke and history. So its arrows are read into a Map once, and following
 * one costs a look-up instead of a step of the interpreter (docs/adr/0002).
 */
import type { AnyStateMachine } from 'xstate';

export interface Arrow {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

export interface Chart {
  readonly initial: string;
  readonly arrows: readonly Arrow[];
  /** Where `event` leads from `status`; undefined where the chart has no such arrow. */
  next(status: string, event: string): string | undefined;
  /** Whether it is an end: a final status, or one with the tag `ended`, which only a command leaves. */
  isFinal(status: string): boolean;
}

/** @throws TypeError if the chart is more than topology, see above */
export function readChart(machine: AnyStateMachine): Chart {
  const arrows: Arrow[] = [];
  const finals = new Set<string>();
  const byStatus = new Map<string, Map<string, string>>();
  for (const [status, node] of Object.entries(machine.states)) {
    assertTopology(machine.id, status, node);
    if (node.type === 'final' || node.tags.includes('ended')) finals.add(status);
    const byEvent = new Map<string, string>();
    for (const [event, transitions] of node.transitions) {
      const [transition] = transitions;
      if (transitions.length !== 1 || transition?.guard !== undefined) {
        throw new TypeError(`chart ${machine.id}: ${status} has more than one way on ${event}`);
      }
      const to = transition?.target?.[0]?.key ?? status;
      byEvent.set(event, to);
      arrows.push({ from: status, event, to });
    }
    byStatus.set(status, byEvent);
  }
  return {
    initial: String(machine.config.initial),
    arrows,
    next: (status, event) => byStatus.get(status)?.get(event),
    isFinal: (status) => finals.has(status),
  };
}

function assertTopology(id: string, status: string, node: AnyStateMachine['states'][string]): void {
  const more =
    node.type === 'compound' ? 'nested states'
    : node.type === 'parallel' ? 'parallel states'
    : node.type === 'history' ? 'history'
    : node.always?.length ? 'always'
    : node.after.length ? 'after'
    : node.invoke.length ? 'invoke'
    : undefined;
  if (more) throw new TypeError(`chart ${id}: ${status} uses ${more}; a folded chart is topology only`);
}
