/**
 * The keys of a namespace, which only brokers know. What a broker hands out (a session's proof, a lease's token) carries
 * a MAC under one of them: any broker can work it out again, so it is stored nowhere, and nobody else can make one.
 */
import { hash } from 'node:crypto';

export interface NamespaceKey {
  /** 1 to 8 of `a-z 0-9`. Part of every signature, so that keys can be changed. */
  readonly id: string;
  /** {@link SECRET_BYTES} random bytes. */
  readonly secret: Uint8Array;
}

export const SECRET_BYTES = 32;
const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
/** 84 bits: more than can be guessed by asking, and tokens stay short enough to be written without a call into the runtime. */
const MAC_CHARACTERS = 14;
const MOST_TEXT_BYTES = 512;
const KEY_ID = /^[a-z0-9]{1,8}$/;

export const isKeyId = (text: string): boolean => KEY_ID.test(text);

export class Keyring {
  private readonly signing: Signer;
  private readonly signers: ReadonlyMap<string, Signer>;

  /** @param keys the first one signs; all are accepted */
  constructor(keys: readonly [NamespaceKey, ...NamespaceKey[]]) {
    const signers = keys.map((key) => new Signer(key));
    this.signing = signers[0]!;
    this.signers = new Map(signers.map((signer) => [signer.id, signer]));
  }

  /** @param text ASCII, at most 512 characters, and of a form that nothing else is signed in @returns `<key id>.<MAC>` */
  sign(text: string): string {
    return this.signing.sign(text);
  }

  /** Whether any of the keys signed the text so. */
  verifies(text: string, signature: string): boolean {
    const signer = this.signers.get(signature.slice(0, Math.max(0, signature.indexOf('.'))));
    // Compared in plain time: the difference in time is lost in what a request takes.
    return signer !== undefined && signer.sign(text) === signature;
  }
}

/**
 * HMAC-SHA-256 over one-shot hashes, which take two fifths of the time of `createHmac`: one is made for every pull that brings work.
 * keyring.test.ts holds it equal to that.
 */
class Signer {
  readonly id: string;
  private readonly inner = Buffer.alloc(BLOCK_BYTES + MOST_TEXT_BYTES, 0x36);
  private readonly outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES, 0x5c);

  constructor({ id, secret }: NamespaceKey) {
    this.id = id;
    for (const [at, byte] of secret.entries()) {
      this.inner[at]! ^= byte;
      this.outer[at]! ^= byte;
    }
  }

  sign(text: string): string {
    if (text.length > MOST_TEXT_BYTES) throw new RangeError(`a text of ${text.length} characters is too long to be signed`);
    const length = this.inner.write(text, BLOCK_BYTES, 'latin1');
    this.outer.write(hash('sha256', this.inner.subarray(0, BLOCK_BYTES + length), 'hex'), BLOCK_BYTES, 'hex');
    return `${this.id}.${hash('sha256', this.outer, 'base64url').slice(0, MAC_CHARACTERS)}`;
  }
}
