/** What is around the core, but for the files that .taprc names. */
import { runTogether } from './run-together.js';

await runTogether(['gateways', 'partition/leader', 'projections', 'sdk', 'streams', 'worker'], 30);
