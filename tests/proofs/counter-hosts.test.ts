/** Three leaders with their couriers, over journals in memory and on a real server. */
import t from 'tap';
import { startServer } from '../../streams/server/start.js';
import { jetstreamRig, memoryRig } from '../counter/conformance/rigs.js';
import { conformance } from '../counter/conformance/suite.js';

// They wait most of the time.
t.jobs = 6;
conformance(t, 'memory', memoryRig);

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
conformance(t, 'jetstream', jetstreamRig(server.brokerUrl));
