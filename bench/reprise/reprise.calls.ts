/** What the harness and the processes of Reprise agree on. */
/** The one that broker and worker use when none is given. */
export const NAMESPACE = 'default';
export const TYPE = 'noop';

export interface RepriseAddress {
  readonly url: string;
}
