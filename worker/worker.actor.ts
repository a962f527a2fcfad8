/** The life of a worker process as a live actor. Its events are rare: jobs do not pass through it. */
import { assign, fromPromise, setup } from 'xstate';

/** The actions of the actor on the process around it. */
export interface WorkerActions {
  register(signal: AbortSignal): Promise<void>;
  /** In the background: a new leader may not know this worker. */
  registerAgain(): void;
  resume(): void;
  pause(): void;
  /** Requests on the old connection may be lost. */
  reconnected(): void;
  drain(): Promise<void>;
  close(): Promise<void>;
}

export type WorkerActorEvent =
  | { type: 'Disconnected' }
  | { type: 'Reconnected' }
  | { type: 'UnknownWorker' }
  | { type: 'NewEpoch' }
  | { type: 'Drain' };

export const workerActor = setup({
  types: {
    context: {} as { worker: WorkerActions; error: unknown },
    input: {} as WorkerActions,
    events: {} as WorkerActorEvent,
  },
  actors: {
    register: fromPromise<void, WorkerActions>(({ input, signal }) => input.register(signal)),
    drain: fromPromise<void, WorkerActions>(({ input }) => input.drain()),
    close: fromPromise<void, WorkerActions>(({ input }) => input.close()),
  },
  actions: {
    registerAgain: ({ context }) => context.worker.registerAgain(),
    resume: ({ context }) => context.worker.resume(),
    pause: ({ context }) => context.worker.pause(),
    reconnected: ({ context }) => context.worker.reconnected(),
    fail: assign({ error: ({ event }) => ('error' in event ? event.error : undefined) }),
  },
}).createMachine({
  id: 'workerProcess',
  initial: 'registering',
  context: ({ input }) => ({ worker: input, error: undefined }),
  states: {
    registering: {
      invoke: {
        src: 'register',
        input: ({ context }) => context.worker,
        onDone: 'working',
        onError: { target: 'closing', actions: 'fail' },
      },
      on: { Disconnected: 'disconnected', Reconnected: { actions: 'reconnected' }, Drain: 'draining' },
    },
    working: {
      entry: 'resume',
      exit: 'pause',
      on: {
        UnknownWorker: 'registering',
        NewEpoch: { actions: 'registerAgain' },
        Disconnected: 'disconnected',
        Drain: 'draining',
      },
    },
    // Running attempts go on until their leases run out.
    disconnected: { on: { Reconnected: { target: 'registering', actions: 'reconnected' }, Drain: 'draining' } },
    draining: {
      on: { Reconnected: { actions: 'reconnected' } },
      invoke: {
        src: 'drain',
        input: ({ context }) => context.worker,
        onDone: 'closing',
        onError: { target: 'closing', actions: 'fail' },
      },
    },
    closing: {
      invoke: {
        src: 'close',
        input: ({ context }) => context.worker,
        onDone: 'stopped',
        onError: { target: 'stopped', actions: 'fail' },
      },
    },
    stopped: { type: 'final' },
  },
});
