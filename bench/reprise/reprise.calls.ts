/** Shared by the harness and the processes of Reprise. */

/** The default of broker and worker. */
export const NAMESPACE = 'default';
export const TYPE = 'noop';

export interface RepriseAddress {
  readonly url: string;
}
