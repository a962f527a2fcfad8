/** The package's main export: what a performer file imports as "reprise". */
export { performer } from '../worker/performer/performer.js';
export type {
  Handle,
  Log,
  Performer,
  PerformerContext,
  PerformerOptions,
  PerformerParts,
  Validate,
  Verdict,
} from '../worker/performer/performer.js';
