import { Injectable, type OnModuleInit } from '@nestjs/common';

import { includesOf } from './domain/parse.js';
import {
  ReferenceCheck,
  ReferenceChecks,
  type ReferredTemplate,
  type TemplateReference,
} from './reference.check.js';
import { TemplateStore } from './template.store.js';

/** How many templates are named. */
const MAX_NAMED = 100;

/**
 * Templates that include a template. Old versions count: they can be rendered, and nobody can change them.
 */
@Injectable()
export class IncludeCheck extends ReferenceCheck implements OnModuleInit {
  constructor(
    private readonly store: TemplateStore,
    private readonly checks: ReferenceChecks,
  ) {
    super();
  }

  onModuleInit(): void {
    this.checks.register(this);
  }

  /** Of each template the newest version that includes it. */
  override async referencesTo(
    namespace: string,
    { name }: ReferredTemplate,
  ): Promise<readonly TemplateReference[]> {
    const references: TemplateReference[] = [];
    let next = await this.store.findQuoting(namespace, name);
    while (next !== undefined && references.length < MAX_NAMED) {
      const isIncluding = includesOf(next.body).includes(name);
      const { id, version } = next;
      if (isIncluding) references.push({ kind: 'template', id, name: next.name, version });
      next = await this.store.findQuoting(namespace, name, { id, version: isIncluding ? 0 : version });
    }
    return references;
  }
}
