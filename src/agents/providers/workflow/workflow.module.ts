import { Module, type DynamicModule, type Type } from '@nestjs/common';

import { WorkflowInvoker } from '../../workflow.invoker.js';
import { WorkflowProvider } from './workflow.provider.js';

/** Workflows as agents, by an invoker that another feature brings. */
@Module({})
export class WorkflowAgentModule {
  /** @param feature the module that exports the invoker */
  static by(invoker: Type<WorkflowInvoker>, feature: Type): DynamicModule {
    return {
      module: WorkflowAgentModule,
      imports: [feature],
      providers: [WorkflowProvider, { provide: WorkflowInvoker, useExisting: invoker }],
    };
  }
}
