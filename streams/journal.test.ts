import t from 'tap';
import { conformance } from './conformance.js';
import { jetstreamRig, memoryRig } from './rigs.js';
import { startServer } from './server/start.js';

conformance(t, 'memory', memoryRig);

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
conformance(t, 'jetstream', jetstreamRig(server.brokerUrl));
