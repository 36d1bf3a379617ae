import { describeProblems, loadConfig } from './platform/config/load-config.js';
import { endOnSignals } from './platform/lifecycle/shut-down.js';
import { describeStartFailure, readyLine } from './platform/lifecycle/start-messages.js';

/** `EX_CONFIG` of sysexits.h. */
const EXIT_CONFIG = 78;

const config = loadConfig();
if (!config.ok) {
  console.error(describeProblems(config.failure));
  process.exit(EXIT_CONFIG);
}
try {
  // Loaded late: what is wrong with the configuration is told at once.
  const { createApp } = await import('./app.js');
  const app = await createApp(config.value);
  endOnSignals(app);
  await app.listen(config.value.server.port, config.value.server.host);
  console.log(readyLine(config.value, await app.getUrl()));
} catch (error) {
  console.error(describeStartFailure(error, config.value));
  process.exit(1);
}
