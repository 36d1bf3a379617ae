import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

import type { JsonObject } from '../kernel/json.js';
import { OpenApiRegistry } from '../platform/http/openapi.registry.js';
import { AgentService, type AgentKind } from './agent.service.js';

const CREATE = 'CreateAgentDto';

type Schemas = Record<string, JsonObject>;

/** Tells in the OpenAPI document what settings each kind takes: the body of a new agent is a union on `kind`. */
@Injectable()
export class AgentDocument implements OnModuleInit {
  constructor(
    private readonly agents: AgentService,
    private readonly document: OpenApiRegistry,
  ) {}

  onModuleInit(): void {
    this.document.add((document) => {
      this.complete(document);
    });
  }

  private complete({ components }: OpenAPIObject): void {
    const schemas = (components?.schemas ?? {}) as unknown as Schemas;
    const common = schemas[CREATE];
    if (common === undefined) return;
    const members = this.agents.kinds().map((kind) => [nameOf(kind), memberOf(kind, common)] as const);
    for (const [name, member] of members) schemas[name] = member;
    const references = members.map(([name]) => `#/components/schemas/${name}`);
    const kinds = this.agents.kinds().map(({ kind }, index) => [kind, references[index] ?? ''] as const);
    schemas[CREATE] = {
      oneOf: references.map(($ref) => ({ $ref })),
      discriminator: { propertyName: 'kind', mapping: Object.fromEntries(kinds) },
      example: exampleIn(common),
    };
  }
}

/** `CreateLlmAgentDto` */
function nameOf({ kind }: AgentKind): string {
  const words = kind
    .split(/[^A-Za-z0-9]+/)
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
  return `Create${words.join('')}AgentDto`;
}

function memberOf({ kind, description, settingsSchema }: AgentKind, common: JsonObject): JsonObject {
  const { $schema: _, ...settings } = settingsSchema;
  const properties = common['properties'] as JsonObject;
  return {
    ...common,
    description,
    properties: { ...properties, kind: { type: 'string', const: kind }, settings },
  };
}

/** The examples of the fields, as they stand. */
function exampleIn({ properties }: JsonObject): JsonObject {
  const fields = Object.entries(properties as Schemas);
  return Object.fromEntries(
    fields.flatMap(([name, { example }]) => (example === undefined ? [] : [[name, example]])),
  );
}
