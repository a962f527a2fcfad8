/** The performer of the benchmark, as a user would write it: it does nothing. */
import { performer } from '../../sdk/index.js';
import { TYPE } from './reprise.calls.js';

export default performer(TYPE, async () => undefined);
