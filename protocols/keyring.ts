/**
 * The keys of a namespace, which only brokers know. What a broker gives out (a session's proof, a lease's token)
 * carries a MAC under one of them. Only brokers can make it, and any broker can compute it again, so it is not stored.
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
/**
 * 84 bits: too many to be guessed by requests, and few enough that tokens stay below the length from which on
 * protobufjs writes text through a slower call into the runtime.
 */
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

  /**
   * @param text ASCII, at most 512 characters, in a form that is used for nothing else that is signed
   * @returns `<key id>.<MAC>`
   */
  sign(text: string): string {
    return this.signing.sign(text);
  }

  /** Whether the signature is one of the text under any of the keys. */
  verifies(text: string, signature: string): boolean {
    const signer = this.signers.get(signature.slice(0, Math.max(0, signature.indexOf('.'))));
    // Not compared in constant time: the difference is far below the variation of a request's time.
    return signer !== undefined && signer.sign(text) === signature;
  }
}

/**
 * HMAC-SHA-256 by one-shot hashes, which take two fifths of the time of `createHmac`: a signature is made for every
 * pull that brings leases. keyring.test.ts checks that both are equal.
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
    if (text.length > MOST_TEXT_BYTES) {
      throw new RangeError(`a text to be signed may have ${MOST_TEXT_BYTES} characters, got ${text.length}`);
    }
    const length = this.inner.write(text, BLOCK_BYTES, 'latin1');
    const digest = hash('sha256', this.inner.subarray(0, BLOCK_BYTES + length), 'hex');
    this.outer.write(digest, BLOCK_BYTES, 'hex');
    return `${this.id}.${hash('sha256', this.outer, 'base64url').slice(0, MAC_CHARACTERS)}`;
  }
}
