import { join } from 'node:path';

import { ServiceProcess } from './service-process.js';

/**
 * Starts the service with the agent `counting` on a folder that outlives it: its record is in `data`, what the agent was
 * asked for in `calls`.
 */
export function startCounting(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const own = { DATA_DIR: join(folder, 'data'), CALLS_FILE: join(folder, 'calls') };
  return ServiceProcess.start({ script: 'test/crash/counting-service.mjs', env: { ...own, ...env } });
}
