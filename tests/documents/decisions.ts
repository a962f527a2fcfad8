/** docs/adr/README.md, the index of decisions, made from the decisions' own headings. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Decision {
  readonly number: number;
  readonly file: string;
  readonly title: string;
  readonly status: string;
  readonly text: string;
}

const FILE = /^(\d{4})-[a-z0-9-]+\.md$/;

/** @throws Error if a decision has no title or no status */
export function decisionsIn(folder: string): Decision[] {
  const files = readdirSync(folder).filter((name) => FILE.test(name)).sort();
  return files.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const title = /^# ADR \d+: (.+)$/m.exec(text)?.[1];
    const status = /^Status: (.+)$/m.exec(text)?.[1];
    if (title === undefined || status === undefined) {
      throw new Error(`${file} needs "# ADR <number>: <title>" and "Status: …", as in template.md`);
    }
    return { number: Number(FILE.exec(file)![1]), file, title, status, text };
  });
}

export function decisionIndex(decisions: readonly Decision[]): string {
  const rows = decisions.map(({ number, file, title, status }) => `| [${number}](${file}) | ${title} | ${status} |`);
  return `# Decisions

<!-- Generated from the decisions by \`npm run docs\`; tests/documents/documents.test.ts fails when it is stale. -->

Decisions that are hard to change, with their reasons and measurements. A decision is not rewritten when it is replaced:
a new one says so, and the status of the old one points to it. Start from a copy of [template.md](template.md).

| | decision | status |
|---|---|---|
${rows.join('\n')}
`;
}
