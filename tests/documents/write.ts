/** `npm run docs`: writes the documents that are made from the code. */
import { writeFileSync } from 'node:fs';
import { DOCS, GENERATED } from './generated.js';

for (const { file, make } of GENERATED) {
  writeFileSync(new URL(file, DOCS), make());
  process.stdout.write(`docs/${file}\n`);
}
