/** One measurement in a process of its own: its memory and its compiled code are not those of another. */
import { blockedLimits, residentMb, whyMs } from './figures.js';
import { leaseCosts } from './leases.js';

const [what, ...numbers] = process.argv.slice(2);
const [first = 0, second = 0, ...others] = numbers.map(Number);

function measured(): unknown {
  switch (what) {
    case 'leases': return leaseCosts(first, second, others);
    case 'blocked': return blockedLimits();
    case 'memory': return residentMb(first);
    case 'why': return whyMs(first, second, others[0]);
    default: throw new Error(`There is no measurement ${what}.`);
  }
}

process.send!(measured());
process.disconnect();
