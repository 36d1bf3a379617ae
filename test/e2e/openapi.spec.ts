/** The OpenAPI document and the page that shows it. Its examples are executed in swagger-examples.spec.ts. */
import { startApp, type RunningApp } from '../support/app.js';
import { openApiOf, operationsOf, type OpenApi } from '../support/openapi.js';

let service: RunningApp;
let document: OpenApi;

beforeAll(async () => {
  service = await startApp();
  document = await openApiOf(service.url);
});

afterAll(async () => {
  await service.close();
});

it('is OpenAPI 3.1 and has a summary for every operation', () => {
  const operations = operationsOf(document);

  expect(document.openapi).toMatch(/^3\.1/);
  expect(operations.filter(({ summary }) => summary === undefined)).toEqual([]);
  expect(operations.length).toBeGreaterThan(14);
});

it('documents problems of every operation by the same component', () => {
  for (const { responses } of operationsOf(document)) {
    expect(responses['500']?.content).toEqual({
      'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDocument' } },
    });
  }
});

it('is shown by Swagger UI', async () => {
  const page = await fetch(`${service.url}/docs`);

  expect(page.status).toBe(200);
  expect(await page.text()).toContain('swagger-ui');
});
