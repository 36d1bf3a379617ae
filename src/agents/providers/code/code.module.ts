import { Module } from '@nestjs/common';

import { SandboxConfig } from '../../../platform/config/app.config.js';
import { workerEntry } from '../../../platform/lifecycle/worker-entry.js';
import { CodeProvider } from './code.provider.js';
import { SandboxPool } from './sandbox-pool.js';

const ENTRY = 'agents/providers/code/sandbox/code.worker.js';

/** Needs `Egress` and `SandboxConfig` from global modules. */
@Module({
  providers: [
    CodeProvider,
    {
      provide: SandboxPool,
      useFactory: ({ maxThreads }: SandboxConfig) =>
        new SandboxPool({ entry: workerEntry(ENTRY), maxThreads }),
      inject: [SandboxConfig],
    },
  ],
  exports: [CodeProvider],
})
export class CodeModule {}
