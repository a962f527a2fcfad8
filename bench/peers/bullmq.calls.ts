/** What the harness and BullMQ's processes agree on. */
export const QUEUE = 'bench';
export const COMPLETED = `bull:${QUEUE}:completed`;

export interface BullmqAddress {
  readonly port: number;
}

export interface BullmqWorkerOptions extends BullmqAddress {
  readonly concurrency: number;
}

export type BullmqWorkerCalls = {
  resume(nothing: undefined): Promise<void>;
};
