import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

import { Clock } from '../platform/clock/clock.js';
import { StorageConfig } from '../platform/config/app.config.js';
import { OpenApiRegistry } from '../platform/http/openapi.registry.js';
import { RunCatalogue } from '../runs/run.catalogue.js';
import { RunService } from '../runs/run.service.js';
import { ApprovalLinkService, DEFAULT_LINK_MS } from './approval-link.service.js';
import { EXAMPLE_APPROVAL, EXAMPLE_APPROVAL_RUN, exampleApprovalDefinition, LINK_TOKEN } from './examples.js';

const NAMESPACE = 'default';

/**
 * A run that waits for an approval, so that every example of the API can be executed on a fresh start. Made on the
 * embedded record only, once; the example of a link is made anew at every start.
 */
@Injectable()
export class ExampleApprovalsService implements OnApplicationBootstrap {
  constructor(
    private readonly runs: RunService,
    private readonly catalogue: RunCatalogue,
    private readonly links: ApprovalLinkService,
    private readonly document: OpenApiRegistry,
    private readonly clock: Clock,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    await this.plantRun();
    const expiresAt = this.clock.now() + DEFAULT_LINK_MS;
    const claim = { namespace: NAMESPACE, approval: EXAMPLE_APPROVAL, expiresAt };
    const token = await this.links.tokenOf(claim);
    this.document.add((document) => {
      withExample(document, token);
    });
  }

  private async plantRun(): Promise<void> {
    if ((await this.catalogue.find(NAMESPACE, EXAMPLE_APPROVAL_RUN)) !== undefined) return;
    const request = {
      namespace: NAMESPACE,
      definition: exampleApprovalDefinition,
      input: { title: 'Blue Monday' },
      tags: ['example'],
    };
    await this.runs.plant(request, EXAMPLE_APPROVAL_RUN);
  }
}

/** Gives the operations on links a token that this service made. */
function withExample({ paths }: OpenAPIObject, token: string): void {
  const link = paths[`/api/v1/approval-links/{${LINK_TOKEN}}`];
  for (const operation of [link?.get, link?.post]) {
    for (const parameter of operation?.parameters ?? [])
      if ('name' in parameter && parameter.name === LINK_TOKEN) parameter.example = token;
  }
}
