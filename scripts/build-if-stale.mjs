/** Builds when any file that the build reads has changed since the last build; quick when none has. */
import './ensure-node.mjs';

import { buildIfStale } from './build.mjs';

process.exitCode = (await buildIfStale()) ? 0 : 1;
