/** What is pure. */
import { runTogether } from './run-together.js';

await runTogether(['actors', 'protocols', 'partition/core'], 40);
