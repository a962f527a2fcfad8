/** A finding of `reprise doctor`: one line of its output. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly found: string;
  readonly hint?: string;
}

export const ok = (what: string, found: string): Finding => ({ level: 'ok', what, found });
export const warn = (what: string, found: string, hint: string): Finding => ({ level: 'warn', what, found, hint });
export const fail = (what: string, found: string, hint: string): Finding => ({ level: 'fail', what, found, hint });

export const START_A_BROKER = 'Start a broker, which creates what is missing: `reprise broker` or `reprise dev`.';
