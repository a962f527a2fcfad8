/** The jobs of the fleet and what its workers say of themselves. Every requirement is met by some workers always. */
export const QUEUES = ['fleet/high', 'fleet/low', 'fleet/third', 'fleet'] as const;
const MODELS = ['sdxl', 'flux', 'llama', 'tiny'] as const;
const REGIONS = ['us', 'eu', 'asia'] as const;

/** A third of the workers never changes. */
export function capabilitiesOf(nth: number, changes: number): object {
  const turn = nth % 3 === 0 ? 0 : changes;
  return {
    hardware: { gpuMemoryGb: nth % 3 === 0 ? 24 : 8 * (1 + ((nth + turn) % 3)) },
    models: nth % 3 === 0 ? [...MODELS] : MODELS.filter((_, at) => (at + nth + turn) % 2 === 0),
    region: REGIONS[Math.floor(nth / 3) % 3],
  };
}

/** @param draw from 0 to 1 */
export function jobOf(nth: number, draw: () => number): Record<string, unknown> {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)]!;
  const require = [
    {}, {}, { models: [pick(MODELS)] }, { hardware: { gpuMemoryGb: pick([8, 16, 24]) } },
    { models: [pick(MODELS)], not: { region: pick(REGIONS) } },
  ][Math.floor(draw() * 5)]!;
  return {
    type: draw() < 0.7 ? 'square' : 'cube', queue: pick(QUEUES), payload: nth, commandId: `n-${nth}`,
    priority: pick([0, 0, 0, 5, -3]), require, labels: draw() < 0.8 ? { tenant: pick(['a', 'b', 'c', 'd']) } : {},
    timeouts: { heartbeatMs: 1_000 },
    retry: { maxAttempts: 4, maxCrashes: 100, backoff: { initialMs: 20, maxMs: 100 } },
  };
}
