/** The commands of docs/api.md do what they say, in the order of the page, on a fresh start. */
import { readFileSync } from 'node:fs';

import { startApp, type RunningApp } from '../support/app.js';
import { carryOut, commandsOf, requestOf } from '../support/curl.js';
import { openApiOf, operationsOf } from '../support/openapi.js';

const commands = commandsOf(readFileSync('docs/api.md', 'utf8'));

let service: RunningApp;

beforeAll(async () => {
  service = await startApp();
});

afterAll(async () => {
  await service.close();
});

it('has a command for every operation', async () => {
  const operations = operationsOf(await openApiOf(service.url));
  const titles = operations.map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`);

  expect(commands.map(({ title }) => title).toSorted()).toEqual(titles.toSorted());
});

it('sends to the route of its heading', () => {
  const elsewhere = commands.filter(({ title, command }) => {
    const { method, url } = requestOf(command);
    const route = title.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/?]+');
    return !new RegExp(`^${route}$`).test(`${method} ${new URL(url).pathname.replace('/api/v1', '')}`);
  });

  expect(elsewhere).toEqual([]);
});

it('is answered with a status of success that stands above it', async () => {
  const refused: string[] = [];
  for (const { title, command, statuses } of commands) {
    const { status, text } = await carryOut(command, service.url);
    if (!statuses.includes(status)) refused.push(`${title}: ${String(status)} ${text}`);
  }

  expect(refused).toEqual([]);
}, 120_000);
