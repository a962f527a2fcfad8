/** Content in the canonical view: by hash and size, never the content. */
import type { ContentRef } from '../streams/content.js';

/** Hash in hexadecimal. */
export interface CanonicalContent {
  readonly hash: string;
  readonly size: number;
}

export const hex = (hash: string): string => Buffer.from(hash, 'latin1').toString('hex');
export const latin1 = (hash: string): string => Buffer.from(hash, 'hex').toString('latin1');

export const canonicalOf = (of: ContentRef | undefined): CanonicalContent | undefined =>
  of && { hash: hex(of.hash), size: of.size };

export const refOf = (of: CanonicalContent | undefined): ContentRef | undefined =>
  of && { hash: latin1(of.hash), size: of.size };
