/** An archive in a bucket of S3, or of a server that is compatible with it. The client is loaded only here. */
import { Readable } from 'node:stream';
import type { GetObjectCommandOutput, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { RepriseError } from '../../protocols/errors.js';
import { checkName, checkPrefix, unreachable, type ArchiveStore, type ByteRange } from './store.js';

type Client = typeof import('@aws-sdk/client-s3');

export interface S3Place {
  readonly bucket: string;
  /** Before every name; empty, or it ends with a slash. */
  readonly prefix: string;
  /** Absent: Amazon's, or AWS_ENDPOINT_URL_S3. */
  readonly endpoint?: string;
  /** Absent: AWS_REGION, or that of the profile. */
  readonly region?: string;
  /** Absent: the environment variables, profile or role that the client finds. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** A store that does not answer must not hold an archiver for ever. */
const CONNECT_MS = 5_000;
const REQUEST_MS = 60_000;

/** @throws RepriseError ARCHIVE_UNREACHABLE if the client is not installed */
export async function openS3Store(place: S3Place): Promise<ArchiveStore> {
  // The client announces on stderr that its later versions need a newer Node. Ours is pinned.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const s3 = await import('@aws-sdk/client-s3').catch((error: unknown): never => {
    const hint = 'Install it: npm install @aws-sdk/client-s3.';
    throw new RepriseError('ARCHIVE_UNREACHABLE', 'The S3 client cannot be loaded.', { cause: error, hint });
  });
  const { endpoint, region, credentials } = place;
  const client = new s3.S3Client({
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true },
    // We compare what was written; many compatible servers do not know the client's newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Without one it writes warnings to the console.
    logger: SILENT,
  });
  return new S3Store(s3, client, place);
}

class S3Store implements ArchiveStore {
  readonly location: string;

  constructor(
    private readonly s3: Client,
    private readonly client: S3Client,
    private readonly place: S3Place,
  ) {
    this.location = `s3://${place.bucket}/${place.prefix}`;
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    await this.trying(`Writing ${name}`, () => this.client.send(this.putting(name, parts)));
  }

  async create(name: string, parts: readonly Uint8Array[]): Promise<boolean> {
    return await this.trying(`Writing ${name}`, async () => {
      // For servers that do not know the condition of the request.
      if (await this.exists(name)) return false;
      try {
        await this.client.send(this.putting(name, parts, { IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        if (statusOf(error) === 412 || statusOf(error) === 409) return false;
        throw error;
      }
    });
  }

  async get(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const at = this.at(name);
    if (range !== undefined && range.to <= range.from) return new Uint8Array(0);
    const Range = range && `bytes=${range.from}-${range.to - 1}`;
    return await this.trying(`Reading ${name}`, async () => {
      try {
        return await bodyOf(await this.client.send(new this.s3.GetObjectCommand({ ...at, Range })));
      } catch (error) {
        if (nameOf(error) === 'NoSuchKey') return undefined;
        if (statusOf(error) === 416) return new Uint8Array(0);
        throw error;
      }
    });
  }

  async list(prefix: string): Promise<readonly string[]> {
    checkPrefix(prefix);
    const { bucket, prefix: before } = this.place;
    return await this.trying('Listing', async () => {
      const query = { Bucket: bucket, Prefix: `${before}${prefix}` };
      const names: string[] = [];
      for await (const page of this.s3.paginateListObjectsV2({ client: this.client }, query)) {
        for (const { Key = '' } of page.Contents ?? []) names.push(Key.slice(before.length));
      }
      return names.sort();
    });
  }

  async remove(name: string): Promise<void> {
    const at = this.at(name);
    await this.trying(`Removing ${name}`, () => this.client.send(new this.s3.DeleteObjectCommand(at)));
  }

  close(): void {
    this.client.destroy();
  }

  private at(name: string): { Bucket: string; Key: string } {
    checkName(name);
    return { Bucket: this.place.bucket, Key: `${this.place.prefix}${name}` };
  }

  /** As a stream, of which the client does not compute a hash: that would block the thread. */
  private putting(name: string, parts: readonly Uint8Array[], more: Partial<PutObjectCommandInput> = {}) {
    const ContentLength = parts.reduce((sum, part) => sum + part.length, 0);
    const Body = Readable.from(parts.filter((part) => part.length > 0), { objectMode: false });
    return new this.s3.PutObjectCommand({ ...this.at(name), Body, ContentLength, ...more });
  }

  private async exists(name: string): Promise<boolean> {
    try {
      await this.client.send(new this.s3.HeadObjectCommand(this.at(name)));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  private async trying<T>(doing: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw unreachable(`${doing} in ${this.location}`, error);
    }
  }
}

async function bodyOf({ Body }: GetObjectCommandOutput): Promise<Uint8Array> {
  return Body === undefined ? new Uint8Array(0) : await Body.transformToByteArray();
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
