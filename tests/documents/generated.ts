/** Which documents are made, and how. */
import { fileURLToPath } from 'node:url';
import { errorsPage } from '../errors-page.js';
import { protocolPage, queuesPage } from './commands.js';
import { decisionIndex, decisionsIn } from './decisions.js';
import { lifecycle } from './lifecycle.js';

export const DOCS = new URL('../../docs/', import.meta.url);
export const ADR_FOLDER = fileURLToPath(new URL('adr/', DOCS));

export const GENERATED: readonly { readonly file: string; readonly make: () => string }[] = [
  { file: 'errors.md', make: errorsPage },
  { file: 'lifecycle.md', make: lifecycle },
  { file: 'protocol.md', make: protocolPage },
  { file: 'queues.md', make: queuesPage },
  { file: 'adr/README.md', make: () => decisionIndex(decisionsIn(ADR_FOLDER)) },
];
