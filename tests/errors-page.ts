/** docs/errors.md as the error table has it. To write it: npx tsx tests/errors-page.ts > docs/errors.md */
import { pathToFileURL } from 'node:url';
import { ERRORS } from '../protocols/errors.js';

const KINDS = {
  rejection: [
    'Rejections',
    'A command was refused, and nothing was changed by it. `status` is in the header `Nats-Service-Error-Code`.',
  ],
  failure: [
    'Failures',
    'How an attempt or a job ended; recorded in the journal. Performers may use codes of their own beside these.',
  ],
  operating: [
    'Operating errors',
    'Something around Reprise does not work. On the wire they come as 503; the command prints them with their hint.',
  ],
} as const;

export function errorsPage(): string {
  const sections = Object.entries(KINDS).map(([kind, [title, what]]) => {
    const rows = Object.entries(ERRORS).filter(([, row]) => row.kind === kind);
    const lines = rows.map(([code, { status, retryable, meaning, hint }]) =>
      `| \`${code}\` | ${status || ''} | ${retryable ? 'yes' : 'no'} | ${meaning} | ${hint} |`);
    const head = ['| code | status | retryable | meaning | what to do |', '|---|---|---|---|---|'];
    return [`## ${title}`, '', what, '', ...head, ...lines, ''].join('\n');
  });
  const opening =
    'Every code that Reprise answers with or stops at. The table is [protocols/errors.ts](../protocols/errors.ts);\n'
    + 'a test holds this page equal to it.';
  return `# Errors\n\n${opening}\n\n${sections.join('\n')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.stdout.write(errorsPage());
