import t from 'tap';
import { conformance } from './conformance/suite.js';
import { jetstreamRig, memoryRig } from './conformance/rigs.js';
import { startServer } from './server/start.js';

conformance(t, 'memory', memoryRig);

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
conformance(t, 'jetstream', jetstreamRig(server.brokerUrl));
