/** Shared by the harness and BullMQ's processes. */
export const QUEUE = 'bench';
export const COMPLETED = `bull:${QUEUE}:completed`;

export interface BullmqAddress {
  readonly port: number;
}

export interface BullmqWorkerOptions extends BullmqAddress {
  readonly concurrency: number;
}
