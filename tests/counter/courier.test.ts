/** What goes out to other partitions and when, and what is made of their replies. */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Outbox, type Refusal } from '../../partition/core/outbox.js';
import { Courier } from '../../partition/leader/courier.js';
import type { Undelivered } from '../../partition/leader/undelivered.js';
import type { Partition } from '../../protocols/ids.js';
import { outbox as messages } from '../../protocols/messages.js';
import { eventually } from '../broker.js';

const TO = 1 as Partition;

type Replying = (firstSeq: number, lastSeq: number) => { receivedSeq: number; refused?: Refusal[] };

class Origin {
  readonly outbox = new Outbox();
  /** First and last sequence of each request. */
  readonly requests: [number, number][] = [];
  readonly undelivered: Undelivered[] = [];
  readonly settled: { upToSeq: number; refused: readonly Refusal[] }[] = [];
  readonly courier: Courier;
  committedSeq = 0;
  monoMs = 0;
  replying: Replying = (_, lastSeq) => ({ receivedSeq: lastSeq });

  constructor(t: Test, maxBytes = 500_000) {
    this.courier = new Courier({
      partition: 0 as Partition, outbox: this.outbox, maxBytes,
      deliver: async (_, bytes) => this.reply(bytes),
      monoMs: () => this.monoMs, origin: () => 'j0', committedSeq: () => this.committedSeq,
      settle: (to, upToSeq, refused) => {
        this.settled.push({ upToSeq, refused });
        const body = { status: '' as const, to, upToSeq, refused };
        this.outbox.apply({ type: 'CommandsAnswered', body }, this.committedSeq + 1, undefined);
      },
      onUndelivered: (undelivered) => void this.undelivered.push(undelivered),
    });
    t.teardown(() => this.courier.end());
  }

  /** In a commit of their own, which is acknowledged. */
  send(commands: number, bytes = 1): void {
    this.decide(commands, bytes);
    this.commit();
  }

  decide(commands: number, bytes = 1): void {
    for (let nth = 0; nth < commands; nth += 1) {
      const seq = this.outbox.nextSeq(TO);
      const body = { status: '' as const, to: TO, seq, command: 'job.submit', kind: 'counter', id: 'c' };
      const event = { type: 'CommandSent' as const, body: { ...body, body: new Uint8Array(bytes) } };
      this.outbox.apply(event, this.committedSeq + 1, undefined);
    }
  }

  commit(): void {
    this.committedSeq += 1;
    this.courier.run();
  }

  private reply(bytes: Uint8Array): Uint8Array {
    const { firstSeq, commands } = messages.Delivery.decode(bytes);
    const lastSeq = firstSeq + commands.length - 1;
    this.requests.push([firstSeq, lastSeq]);
    return messages.DeliveryReply.encode(this.replying(firstSeq, lastSeq)).finish();
  }
}

const turn = (): Promise<void> => wait(5);

t.test('while the answers are recorded in a commit that is not acknowledged, nothing more goes out', async (t) => {
  const origin = new Origin(t);
  origin.send(150);
  await turn();
  t.strictSame(origin.requests, [[1, 100]]);
  origin.courier.run();
  await turn();
  t.equal(origin.requests.length, 1, 'a delivery from 101 would say that the refusals up to 100 are recorded');
  origin.commit();
  await turn();
  t.strictSame(origin.requests[1], [101, 150]);
});

t.test('what was sent in a commit that is not acknowledged does not go out', async (t) => {
  const origin = new Origin(t);
  origin.decide(2);
  origin.courier.run();
  await turn();
  t.strictSame(origin.requests, []);
  origin.commit();
  await turn();
  t.strictSame(origin.requests, [[1, 2]]);
});

t.test('given large bodies, then no request is larger than a commit', async (t) => {
  const origin = new Origin(t, 250_000);
  origin.send(5, 100_000);
  origin.send(1, 300_000);
  for (let round = 0; round < 4; round += 1) {
    await turn();
    origin.commit();
  }
  t.strictSame(origin.requests, [[1, 2], [3, 4], [5, 5], [6, 6]], 'one that is larger goes alone');
});

t.test('given a reply that claims more than was sent in the request, then no more than that is settled', async (t) => {
  const origin = new Origin(t);
  origin.replying = () => ({ receivedSeq: 120 });
  origin.send(120);
  await turn();
  t.match(origin.settled, [{ upToSeq: 100 }]);
});

t.test('given a destination that has recorded what was never sent, then nothing is settled', async (t) => {
  const origin = new Origin(t);
  origin.replying = () => ({ receivedSeq: 5 });
  origin.send(3);
  await turn();
  t.match(origin.undelivered, [{ to: TO, why: 'ahead', firstSeq: 1, receivedSeq: 5 }]);
  origin.send(7);
  await wait(200);
  t.strictSame(origin.settled, [], 'not even when later commands have come up to that number');
  t.equal(origin.undelivered.length, 1, 'it is logged once a minute');
  origin.monoMs += 60_000;
  await eventually(() => origin.undelivered.length === 2);
});

t.test('given a destination that lost what it had recorded, then it is logged at once and tried again', async (t) => {
  const origin = new Origin(t);
  origin.send(3);
  await turn();
  origin.commit();
  origin.replying = () => ({ receivedSeq: 1 });
  origin.send(2);
  await turn();
  t.match(origin.undelivered, [{ to: TO, why: 'lost', firstSeq: 4, receivedSeq: 1 }]);
  t.equal(origin.settled.length, 1);
  origin.replying = (_, lastSeq) => ({ receivedSeq: lastSeq });
  await eventually(() => origin.settled.length === 2);
  t.match(origin.settled[1], { upToSeq: 5 });
});

t.test('given a destination that is silent, then it is logged after ten seconds', async (t) => {
  const origin = new Origin(t);
  origin.replying = () => {
    throw new Error('no responders');
  };
  origin.send(1);
  await wait(100);
  t.strictSame(origin.undelivered, [], 'a change of leader takes a while');
  origin.monoMs = 10_000;
  await eventually(() => origin.undelivered.length > 0);
  t.match(origin.undelivered, [{ to: TO, why: 'unanswered', message: 'Error: no responders' }]);
});

t.test('given a courier that has ended, then nothing goes out, whatever was under way', async (t) => {
  const origin = new Origin(t);
  origin.replying = () => {
    throw new Error('no responders');
  };
  origin.send(1);
  await turn();
  const { length } = origin.requests;
  origin.courier.end();
  origin.commit();
  await wait(150);
  t.equal(origin.requests.length, length);
});
