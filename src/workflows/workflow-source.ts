import { Injectable } from '@nestjs/common';

import { TemplateConfig } from '../platform/config/app.config.js';
import { HotStore } from '../platform/ports/hot.store.js';
import {
  ResourceSource,
  type FoundResource,
  type ResourceType,
} from '../platform/versions/resource-source.js';
import { workflowErrors } from './domain/workflow.errors.js';
import type { WorkflowBody } from './domain/workflow.js';
import { WorkflowStore } from './workflow.store.js';

/** One version of a stored workflow, and the label that led there. */
export type FoundWorkflow = FoundResource<WorkflowBody>;

const WORKFLOW: ResourceType = {
  noun: 'workflow',
  idPrefix: 'wf',
  errors: {
    notFound: workflowErrors['workflow.not-found'],
    versionNotFound: workflowErrors['workflow.version-not-found'],
    labelNotFound: workflowErrors['workflow.label-not-found'],
  },
};

/** Reads stored workflows through the cache. */
@Injectable()
export class WorkflowSource extends ResourceSource<WorkflowBody> {
  constructor(store: WorkflowStore, hot: HotStore, { cacheTtlMs: ttlMs }: TemplateConfig) {
    super(WORKFLOW, { store, hot, ttlMs });
  }
}
