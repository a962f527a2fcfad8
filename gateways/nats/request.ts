/** A request as it came over NATS: decoded on arrival, answered once, in the form it was asked in. */
import { headers, type Msg } from '@nats-io/nats-core';
import type { Answerable, Reply } from '../../actors/reply.js';
import { shaped, type Shaped } from './shapes.js';
import { foreignRejection, reject, statusOf, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import { job, worker } from '../../protocols/messages.js';
import type { Verb } from '../../protocols/subjects.js';
import { encodeError, encodeReply, type Format } from './encode.js';
import { parseJson } from './json.js';
import { isBrokersInbox } from '../../streams/server/address.js';
import { decodeStrictly, type Decoder } from './strict.js';

export const MESSAGES = {
  submit: job.SubmitJobs, get: job.GetJob, await: job.AwaitJob, cancel: job.CancelJob,
  register: worker.RegisterWorker, pull: worker.Pull, report: worker.ReportAttempts, heartbeat: worker.Heartbeat, drain: worker.DrainWorker,
} as const satisfies Record<Verb, Decoder<object>>;

const OPENING_BRACE = 0x7b;

export class NatsRequest implements Answerable {
  readonly asker = 'asker';
  readonly format: Format;
  /** Asked about one job, and so to be refused as a whole. */
  private single = true;

  constructor(
    readonly msg: Msg,
    readonly verb: Verb,
    private readonly partitions: number,
    /** By another broker, which may wait for the answer itself. */
    private readonly forwarded: boolean,
    private readonly onError: (rejection: Rejection | ForeignRejection) => void,
  ) {
    this.format = msg.data[0] === OPENING_BRACE ? 'json' : 'protobuf';
  }

  /** The message of its verb, or why it is none. */
  decode(): object | Rejection {
    const { data } = this.msg;
    if (data.length > LIMITS.requestBytes) return reject('TOO_LARGE', `the request has ${data.length} bytes; the limit is ${LIMITS.requestBytes}`);
    if (this.format === 'protobuf') {
      this.single = this.verb !== 'submit';
      return decodeStrictly(MESSAGES[this.verb] as Decoder<object>, data);
    }
    const parsed = parseJson(this.verb, data);
    if ('code' in parsed) return parsed;
    this.single = !parsed.batch;
    return parsed.message;
  }

  /** A message of this request's verb in protobuf, for another leader. */
  protobuf(message: object): Uint8Array {
    return (MESSAGES[this.verb] as { encode(of: object): { finish(): Uint8Array } }).encode(message).finish();
  }

  /**
   * NATS checks where a request is published, not where its reply goes; a reply to the server's API, into a journal or to
   * another broker's inbox would be published with our rights. Such a request is not answered.
   */
  get mayAnswer(): boolean {
    const { reply } = this.msg;
    if (reply === undefined || reply === '' || reply.startsWith('$') || reply.startsWith('reprise.')) return false;
    return this.forwarded || !isBrokersInbox(reply);
  }

  answer(reply: Reply): void {
    this.send(shaped(this.verb, reply));
  }

  send(reply: Shaped): void {
    if (reply.kind === 'refused') return this.refuse(reply.rejection);
    const [only] = reply.kind === 'jobs' ? reply.jobs : [];
    if (this.single && only?.error) return this.refuse(foreignRejection(only.error));
    if (!this.mayAnswer) return;
    try {
      this.msg.respond(encodeReply(reply, this.format, this.verb, this.single, this.partitions));
    } catch (error) {
      // Larger than the server takes.
      this.refuse(reject('TOO_LARGE', `the answer cannot be sent: ${String(error).slice(0, 200)}`));
    }
  }

  /** Passes on how another leader answered it. */
  pass({ data, headers: h }: Msg): void {
    if (this.mayAnswer) this.msg.respond(data, h && { headers: h });
  }

  refuse(rejection: Rejection | ForeignRejection): void {
    this.onError(rejection);
    if (!this.mayAnswer) return;
    const h = headers();
    h.set('Nats-Service-Error', `${rejection.code}: ${rejection.message}`.replaceAll(/[\r\n]/g, ' ').slice(0, 512));
    h.set('Nats-Service-Error-Code', String(statusOf(rejection)));
    this.msg.respond(encodeError(rejection, this.format), { headers: h });
  }
}
