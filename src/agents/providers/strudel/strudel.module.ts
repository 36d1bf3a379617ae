import { join } from 'node:path';

import { Module } from '@nestjs/common';

import { projectRoot, workerEntry } from '../../../platform/lifecycle/worker-entry.js';
import { StrudelEvaluator } from './strudel-evaluator.js';
import { StrudelProvider } from './strudel.provider.js';

@Module({
  providers: [
    StrudelProvider,
    {
      provide: StrudelEvaluator,
      useFactory: () =>
        new StrudelEvaluator({
          entry: workerEntry('agents/providers/strudel/evaluator/evaluator.worker.js'),
          bundle: workerEntry('agents/providers/strudel/evaluator/strudel.bundle.js'),
          packages: join(projectRoot(), 'node_modules'),
        }),
    },
  ],
  exports: [StrudelProvider],
})
export class StrudelModule {}
