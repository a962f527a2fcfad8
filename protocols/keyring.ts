/**
 * The keys of a namespace, which only brokers know. What a broker hands out (a session's proof, the tokens of a pull's
 * leases) carries a MAC under one of them: any broker can work it out again, so it is stored nowhere, and no one else can
 * make one.
 */
import { createHmac } from 'node:crypto';

export interface NamespaceKey {
  /** 1 to 8 of `a-z 0-9`. Part of every signature, so that keys can be changed. */
  readonly id: string;
  /** {@link SECRET_BYTES} random bytes. */
  readonly secret: Uint8Array;
}

export const SECRET_BYTES = 32;
/** 84 bits: more than can be guessed by asking, and tokens stay short enough to be written without a call into the runtime. */
const MAC_CHARACTERS = 14;
const KEY_ID = /^[a-z0-9]{1,8}$/;

export const isKeyId = (text: string): boolean => KEY_ID.test(text);

export class Keyring {
  readonly #signing: NamespaceKey;
  readonly #keys: ReadonlyMap<string, NamespaceKey>;

  /** @param keys the first one signs; all are accepted */
  constructor(keys: readonly [NamespaceKey, ...NamespaceKey[]]) {
    this.#signing = keys[0];
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  /** @param text of a form that nothing else is signed in @returns `<key id>.<MAC>` */
  sign(text: string): string {
    return signed(this.#signing, text);
  }

  /** Whether any of the keys signed the text so. */
  verifies(text: string, signature: string): boolean {
    const key = this.#keys.get(signature.slice(0, Math.max(0, signature.indexOf('.'))));
    // An ordinary comparison: how long it takes is lost in what a request takes.
    return key !== undefined && signed(key, text) === signature;
  }
}

const signed = ({ id, secret }: NamespaceKey, text: string): string =>
  `${id}.${createHmac('sha256', secret).update(text).digest('base64url').slice(0, MAC_CHARACTERS)}`;
