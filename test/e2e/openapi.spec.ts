/** The OpenAPI document: every operation's example can be executed as it stands on a fresh start. */
import { startApp, type RunningApp } from '../support/app.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly example?: unknown;
  readonly schema?: { readonly example?: unknown };
}

interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly allOf?: readonly Schema[];
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let service: RunningApp;
let document: Document;

beforeAll(async () => {
  service = await startApp();
  document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Document;
});

afterAll(async () => {
  await service.close();
});

function operations(): readonly {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

function resolved(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
}

/** What Swagger UI puts into the body: the examples of the fields. */
function exampleOf(schema: Schema): unknown {
  const { example, default: fallback, properties } = resolved(schema);
  if (example !== undefined) return example;
  if (fallback !== undefined) return fallback;
  if (properties === undefined) return undefined;
  const entries = Object.entries(properties).map(([key, value]) => [key, exampleOf(value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function addressOf(path: string, { parameters = [] }: Operation): string {
  return parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((url, { name, example, schema }) => {
      const value = example ?? schema?.example;
      if (typeof value !== 'string') throw new Error(`${path}: no example for {${name}}`);
      return url.replace(`{${name}}`, encodeURIComponent(value));
    }, path);
}

it('is OpenAPI 3.1 and has a summary for every operation', () => {
  expect(document.openapi).toMatch(/^3\.1/);
  expect(operations().filter(({ operation }) => operation.summary === undefined)).toEqual([]);
  expect(operations().length).toBeGreaterThan(14);
});

it('documents problems of every operation by the same component', () => {
  for (const { operation } of operations()) {
    expect(operation.responses['500']?.content).toEqual({
      'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDocument' } },
    });
  }
});

it('has an example for every operation that is executed with success', async () => {
  const refused: string[] = [];
  for (const { method, path, operation } of operations()) {
    const schema = operation.requestBody?.content['application/json']?.schema;
    const answer = await fetch(`${service.url}${addressOf(path, operation)}`, {
      method,
      ...(schema === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(exampleOf(schema)) }),
    });
    const text = await answer.text();
    if (!answer.ok) refused.push(`${method} ${path}: ${String(answer.status)} ${text}`);
  }

  expect(refused).toEqual([]);
});

it('is shown by Swagger UI', async () => {
  const page = await fetch(`${service.url}/docs`);

  expect(page.status).toBe(200);
  expect(await page.text()).toContain('swagger-ui');
});
