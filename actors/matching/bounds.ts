/** The bounds of requirements and capabilities. Sizes in bytes. */
export const MATCHING = {
  /** A requirement in canonical form. It is recorded with its jobs, and names their class. */
  requirementBytes: 4 * 1024,
  /** A requirement as JSON text, as it is given. */
  requirementGivenBytes: 16 * 1024,
  /** Single things that a requirement asks for: each entry of a list is one. */
  terms: 128,
  capabilitiesBytes: 64 * 1024,
  /** Objects, lists and values in a capabilities document. */
  capabilitiesNodes: 10_000,
  /** Objects and lists inside each other, the document itself included. */
  depth: 8,
  textBytes: 256,
  /** A member's name, or names with dots between them. */
  pathBytes: 256,
  /** Beyond it numbers are no longer exact: a larger one is a mistake. */
  number: Number.MAX_SAFE_INTEGER,
  /** Requirements that are kept by their text: how many, and how long their texts are together. */
  cached: 16_384,
  cachedUnits: 4 * 1024 * 1024,
} as const;
