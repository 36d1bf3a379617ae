/** The service in a process of its own, so that a test can kill it; it speaks its address on standard output. */
import { createApp } from '../../dist/app.js';
import { loadConfig } from '../../dist/platform/config/load-config.js';
import { endOnSignals } from '../../dist/platform/lifecycle/shut-down.js';

const config = loadConfig().value;
const app = await createApp(config);
endOnSignals(app);
await app.listen(config.server.port, config.server.host);
console.log(`LISTENING ${await app.getUrl()}`);
