import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { StorageConfig } from '../platform/config/app.config.js';
import { EXAMPLE_TEMPLATE, exampleTemplates } from './examples.js';
import { TemplateService, type TemplateEdit } from './template.service.js';

const NAMESPACE = 'default';
const AUTHOR = 'anonymous';
const EDIT: TemplateEdit = { namespace: NAMESPACE, reference: EXAMPLE_TEMPLATE, author: AUTHOR };

/**
 * Templates with fixed ids, so that every example of the API can be executed on a fresh start. Made on the embedded
 * record only, while it has no template: what somebody deleted stays deleted.
 */
@Injectable()
export class ExampleTemplatesService implements OnApplicationBootstrap {
  constructor(
    private readonly templates: TemplateService,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const { items } = await this.templates.list(NAMESPACE, {}, { limit: 1 });
    if (items.length === 0) await this.plant();
  }

  private async plant(): Promise<void> {
    for (const { id, name, versions } of exampleTemplates) {
      const [first, ...later] = versions;
      if (first === undefined) continue;
      await this.templates.create({ namespace: NAMESPACE, id, name, body: first, author: AUTHOR });
      for (const body of later) await this.templates.update({ ...EDIT, reference: id }, () => body);
    }
    await this.templates.moveLabel(EDIT, { label: 'production', version: 1 });
    await this.templates.moveLabel(EDIT, { label: 'staging', version: 2, reason: 'an example' });
  }
}
