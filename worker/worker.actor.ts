/** The worker as it lives in its process: a live actor, because its events are rare. Jobs never pass through it. */
import { assign, fromPromise, setup } from 'xstate';

/** What the actor does to the process around it. */
export interface WorkerHands {
  register(signal: AbortSignal): Promise<void>;
  /** Once more, in the background: a new leader may not know us. */
  registerAgain(): void;
  resume(): void;
  pause(): void;
  /** What was under way on the old connection may be lost. */
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
    context: {} as { hands: WorkerHands; failure: unknown },
    input: {} as WorkerHands,
    events: {} as WorkerActorEvent,
  },
  actors: {
    register: fromPromise<void, WorkerHands>(({ input, signal }) => input.register(signal)),
    drain: fromPromise<void, WorkerHands>(({ input }) => input.drain()),
    close: fromPromise<void, WorkerHands>(({ input }) => input.close()),
  },
  actions: {
    registerAgain: ({ context }) => context.hands.registerAgain(),
    resume: ({ context }) => context.hands.resume(),
    pause: ({ context }) => context.hands.pause(),
    reconnected: ({ context }) => context.hands.reconnected(),
    fail: assign({ failure: ({ event }) => ('error' in event ? event.error : undefined) }),
  },
}).createMachine({
  id: 'workerProcess',
  initial: 'registering',
  context: ({ input }) => ({ hands: input, failure: undefined }),
  states: {
    registering: {
      invoke: {
        src: 'register',
        input: ({ context }) => context.hands,
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
    // What runs goes on, for as long as its leases last.
    disconnected: { on: { Reconnected: { target: 'registering', actions: 'reconnected' }, Drain: 'draining' } },
    draining: {
      on: { Reconnected: { actions: 'reconnected' } },
      invoke: {
        src: 'drain',
        input: ({ context }) => context.hands,
        onDone: 'closing',
        onError: { target: 'closing', actions: 'fail' },
      },
    },
    closing: {
      invoke: {
        src: 'close',
        input: ({ context }) => context.hands,
        onDone: 'stopped',
        onError: { target: 'stopped', actions: 'fail' },
      },
    },
    stopped: { type: 'final' },
  },
});
