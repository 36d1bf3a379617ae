/**
 * The example of every operation is executed with success, as Swagger UI sends it: parameters and body as the document
 * has them and nothing else, on a fresh start with everything at its default.
 */
import { startApp, type RunningApp } from '../support/app.js';
import { openApiOf, operationsOf, type LocatedOperation, type Parameter } from '../support/openapi.js';

const JSON_TYPE = 'application/json';

let service: RunningApp;
let operations: readonly LocatedOperation[];

beforeAll(async () => {
  service = await startApp();
  operations = operationsOf(await openApiOf(service.url));
});

afterAll(async () => {
  await service.close();
});

/** What stands in the field of a parameter before anybody types. */
function valueOf({ example, schema }: Parameter): unknown {
  return example ?? schema?.example ?? schema?.default;
}

function filledIn({ parameters = [] }: LocatedOperation, place: string): [string, string][] {
  return parameters
    .filter((parameter) => parameter.in === place && valueOf(parameter) !== undefined)
    .map((parameter) => [parameter.name, String(valueOf(parameter))]);
}

function addressOf(operation: LocatedOperation): string {
  const path = filledIn(operation, 'path').reduce(
    (address, [name, value]) => address.replace(`{${name}}`, encodeURIComponent(value)),
    operation.path,
  );
  const query = new URLSearchParams(filledIn(operation, 'query'));
  return `${service.url}${path}?${query.toString()}`;
}

function requestOf(operation: LocatedOperation): RequestInit {
  const headers = filledIn(operation, 'header');
  const body = operation.requestBody?.content[JSON_TYPE];
  if (body === undefined) return { method: operation.method, headers };
  return {
    method: operation.method,
    headers: [...headers, ['content-type', JSON_TYPE]],
    body: JSON.stringify(body.example),
  };
}

it('stands beside every body and for every part of a path', () => {
  const without = operations.filter(
    ({ path, requestBody, parameters = [] }) =>
      (requestBody !== undefined && requestBody.content[JSON_TYPE]?.example === undefined) ||
      parameters.filter((one) => one.in === 'path' && typeof valueOf(one) === 'string').length !==
        (path.match(/\{/g)?.length ?? 0),
  );

  expect(without.map(({ operationId }) => operationId)).toEqual([]);
});

it('is executed with success, each in the order of the document', async () => {
  const refused: string[] = [];
  for (const operation of operations) {
    const answer = await fetch(addressOf(operation), requestOf(operation));
    const text = await answer.text();
    if (!answer.ok) refused.push(`${operation.method} ${operation.path}: ${String(answer.status)} ${text}`);
  }

  expect(refused).toEqual([]);
  expect(operations.length).toBeGreaterThan(14);
});
