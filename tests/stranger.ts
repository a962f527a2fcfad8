/**
 * A stranger with the classic `nats` package (2.x), who knows the public subjects and the .proto files and nothing else
 * of ours. Asks in JSON or in protobuf.
 */
import { fileURLToPath } from 'node:url';
import { connect, type Msg, type NatsConnection } from 'nats';
import protobuf from 'protobufjs';

const protocols = fileURLToPath(new URL('../protocols/', import.meta.url));

export async function loadProtocols(): Promise<protobuf.Root> {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${protocols}${target}`;
  const packages = ['job', 'worker', 'error', 'journal', 'queue', 'snapshot', 'retention', 'bulk'];
  return root.load(packages.map((name) => `${name}/v1/${name}.proto`));
}

export type Body = Record<string, unknown>;

export interface Answer {
  /** Empty when it was done. */
  readonly code: string;
  readonly status: string;
  readonly header: string;
  readonly body: Body;
}

export interface Me {
  readonly workerId: string;
  readonly session: string;
  readonly proof: string;
}

const MESSAGES: Readonly<Record<string, readonly [string, string]>> = {
  'job.submit': ['job.v1.SubmitJobs', 'job.v1.SubmitReply'],
  'job.get': ['job.v1.GetJob', 'job.v1.JobView'],
  'job.await': ['job.v1.AwaitJob', 'job.v1.JobReply'],
  'job.cancel': ['job.v1.CancelJob', 'job.v1.JobReply'],
  'job.list': ['job.v1.ListJobs', 'job.v1.JobList'],
  'job.retry': ['job.v1.RetryJob', 'job.v1.JobReply'],
  'job.reprioritize': ['job.v1.ReprioritizeJob', 'job.v1.JobReply'],
  'job.discard': ['job.v1.DiscardJob', 'job.v1.JobReply'],
  'bulk.start': ['bulk.v1.StartBulk', 'bulk.v1.BulkView'],
  'bulk.go': ['bulk.v1.GoBulk', 'bulk.v1.BulkView'],
  'bulk.stop': ['bulk.v1.StopBulk', 'bulk.v1.BulkView'],
  'bulk.show': ['bulk.v1.GetBulk', 'bulk.v1.BulkView'],
  'worker.register': ['worker.v1.RegisterWorker', 'worker.v1.RegisterReply'],
  'worker.pull': ['worker.v1.Pull', 'worker.v1.PullReply'],
  'worker.report': ['worker.v1.ReportAttempts', 'worker.v1.PullReply'],
  'worker.heartbeat': ['worker.v1.Heartbeat', 'worker.v1.PullReply'],
  'worker.drain': ['worker.v1.DrainWorker', 'worker.v1.DrainReply'],
  'job.why': ['job.v1.WhyJob', 'job.v1.WhyReply'],
  'worker.list': ['worker.v1.ListWorkers', 'worker.v1.WorkerList'],
  'worker.get': ['worker.v1.GetWorker', 'worker.v1.WorkerView'],
  'worker.cordon': ['worker.v1.CordonWorker', 'worker.v1.WorkerView'],
  'worker.uncordon': ['worker.v1.UncordonWorker', 'worker.v1.WorkerView'],
  'worker.retire': ['worker.v1.RetireWorker', 'worker.v1.WorkerView'],
  'queue.pause': ['queue.v1.PauseQueue', 'queue.v1.QueueStats'],
  'queue.resume': ['queue.v1.ResumeQueue', 'queue.v1.QueueStats'],
  'queue.set': ['queue.v1.SetQueue', 'queue.v1.QueueStats'],
  'queue.stats': ['queue.v1.GetQueueStats', 'queue.v1.QueueStats'],
  'queue.list': ['queue.v1.ListQueues', 'queue.v1.QueueList'],
  'retention.set': ['retention.v1.SetRetention', 'retention.v1.RetentionReply'],
  'retention.list': ['retention.v1.ListRetention', 'retention.v1.RetentionList'],
  'snapshot.take': ['snapshot.v1.TakeSnapshots', 'snapshot.v1.SnapshotsTaken'],
};
export const SUBJECTS = Object.keys(MESSAGES);

export class Stranger {
  private constructor(
    readonly nc: NatsConnection,
    /** As the brokers' user: ordinary users may not read journals. */
    readonly reader: NatsConnection,
    readonly root: protobuf.Root,
    readonly ns: string,
  ) {}

  static async connect({ url, brokerUrl, ns }: { url: string; brokerUrl: string; ns: string }): Promise<Stranger> {
    const { username: user, password: pass } = new URL(brokerUrl);
    const always = { servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 };
    return new Stranger(await connect(always), await connect({ ...always, user, pass }), await loadProtocols(), ns);
  }

  type(name: string): protobuf.Type {
    return this.root.lookupType(`reprise.${name}`);
  }

  encode(name: string, body: Body): Uint8Array {
    return this.type(name).encode(this.type(name).fromObject(body)).finish();
  }

  decode(name: string, bytes: Uint8Array): Body {
    const type = this.type(name);
    const message = type.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return type.toObject(message, { longs: Number, defaults: true, arrays: true, objects: true, bytes: Buffer });
  }

  requestType(subject: string): string {
    return MESSAGES[subject]![0];
  }

  raw(subject: string, data: Uint8Array | string, timeout = 5_000): Promise<Msg> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    // Ordinary users may not ask for these.
    const nc = ['snapshot.take', 'retention.set'].includes(subject) ? this.reader : this.nc;
    return nc.request(`reprise.${this.ns}.${subject}`, bytes, { timeout });
  }

  async json(subject: string, body: unknown, timeout?: number): Promise<Answer> {
    const msg = await this.raw(subject, JSON.stringify(body), timeout);
    return { ...errorOf(msg), body: msg.json<Body>() };
  }

  async proto(subject: string, body: Body, timeout?: number): Promise<Answer> {
    const [asked, answered] = MESSAGES[subject]!;
    const msg = await this.raw(subject, this.encode(asked, body), timeout);
    const error = errorOf(msg);
    return { ...error, body: this.decode(error.code === '' ? answered : 'error.v1.Error', msg.data) };
  }

  /** In JSON; repeats the request until a leader replies. A request that is recorded needs a commandId. */
  async patient(subject: string, body: unknown, tries = 60): Promise<Answer> {
    for (let n = 1; ; n += 1) {
      const answer = await this.json(subject, body, 2_000).catch((error: unknown) => {
        if (n === tries) throw error;
        return undefined;
      });
      if (answer && !(answer.code !== '' && answer.body['retryable'] === true && n < tries)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Registers a worker. @returns what it says of itself in every request from then on */
  async register(workerId: string, body: Body): Promise<Me> {
    const { code, header, body: reply } = await this.patient('worker.register', { workerId, ...body }, 400);
    if (code !== '') throw new Error(header);
    return { workerId, session: reply['session'] as string, proof: reply['proof'] as string };
  }

  async close(): Promise<void> {
    await Promise.all([this.nc.close(), this.reader.close()]);
  }
}

function errorOf(msg: Msg): Pick<Answer, 'code' | 'status' | 'header'> {
  const header = msg.headers?.get('Nats-Service-Error') ?? '';
  return { code: header.split(':')[0]!, header, status: msg.headers?.get('Nats-Service-Error-Code') ?? '' };
}
