/**
 * The OpenAPI document of the running application, and Swagger UI.
 *
 * Decided here: what every operation says alike: problem answers, global headers, how to authenticate, an example of
 * its body. What an operation is about stands with its controller.
 */
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { productVersion } from '../lifecycle/product-version.js';
import { problemContent } from './api.decorator.js';
import { OpenApiRegistry } from './openapi.registry.js';
import { IssueDto, ProblemDocumentDto } from './dto/problem.dto.js';
import { exampleOf } from './openapi-example.js';

const DESCRIPTION = [
  'Runs teams of AI agents reliably: durable workflows as data, versioned prompt templates, live events.',
  '',
  'Every refusal is a problem document (RFC 9457) with a stable `code`. Every answer carries `X-Request-Id`, which a ' +
    'caller may set. Lists take `limit` and `cursor` and answer `{ items, nextCursor }`.',
].join('\n');

/** Answers that any operation may give. */
const SHARED_PROBLEMS: Readonly<Record<string, string>> = {
  '400': '`request.invalid`: not JSON, an unknown field or a wrong type',
  '401': '`auth.required`: a key is required, and none or no valid one came',
  '403': '`auth.forbidden`: the caller may not do this',
  '429': '`rate.limited`: too many requests; see `Retry-After`',
  '500': '`internal.error`',
  '503': '`store.unavailable`, `store.full`, `service.unavailable`: see `Retry-After`',
};
const BODY_PROBLEMS: Readonly<Record<string, string>> = {
  '413': '`request.too-large`',
  '415': '`request.unsupported-media`: send `application/json`',
};

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Builds the document from the controllers of an application. */
export function buildOpenApi(app: NestFastifyApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Ensemble')
    .setDescription(DESCRIPTION)
    .setVersion(productVersion())
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'An API key; needed once any key exists' },
      'apiKey',
    )
    .addSecurityRequirements('apiKey')
    .addSecurityRequirements({})
    .build();
  const document = SwaggerModule.createDocument(app, options, {
    extraModels: [ProblemDocumentDto, IssueDto],
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  return app.get(OpenApiRegistry).complete(withSharedParts(document));
}

/** Serves the document at `/openapi.json` and Swagger UI at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication): void {
  let document: OpenAPIObject | undefined;
  SwaggerModule.setup('docs', app, () => (document ??= buildOpenApi(app)), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Ensemble API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}

function withSharedParts(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (operation === undefined) continue;
      addSharedProblems(operation);
      addBodyExample(operation, document.components?.schemas ?? {});
    }
  }
  return document;
}

function addSharedProblems(operation: Operation): void {
  const shared =
    operation.requestBody === undefined ? SHARED_PROBLEMS : { ...SHARED_PROBLEMS, ...BODY_PROBLEMS };
  const responses = operation.responses as Record<string, unknown>;
  for (const [status, description] of Object.entries(shared)) {
    responses[status] ??= { description, content: problemContent };
  }
}

function addBodyExample({ requestBody }: Operation, schemas: Parameters<typeof exampleOf>[1]): void {
  if (requestBody === undefined || '$ref' in requestBody) return;
  const body = requestBody.content['application/json'];
  if (body?.schema !== undefined) body.example ??= exampleOf(body.schema, schemas);
}
