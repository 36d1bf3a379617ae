/** The picture of a track as a browser draws it. */
import { mkdirSync, readFileSync } from 'node:fs';

import { chromium, type Browser } from 'playwright-core';

import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { describeWithChromium } from '../support/services.js';

/** Chromium speaks to nobody: without these it looks up hosts of its maker. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Drawn {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly colours: number;
}

/** Executed in the page. */
const MEASURE = `(() => {
  const { width, height } = document.documentElement.getBoundingClientRect();
  const fills = [...document.querySelectorAll('*')].map((element) => getComputedStyle(element).fill);
  return { name: document.documentElement.nodeName, width, height, colours: new Set(fills).size };
})()`;

describeWithChromium('the piano roll of the example track', (executablePath) => {
  let service: RunningApp;
  let browser: Browser;

  beforeAll(async () => {
    service = await startApp();
    browser = await chromium.launch({ executablePath, args: QUIET });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await service.close();
  });

  it('is drawn in more than a few colours, at its own size', async () => {
    const track = JSON.parse(readFileSync('docs/examples/compose-track.json', 'utf8')) as {
      readonly definition: unknown;
      readonly input: unknown;
    };
    const run = await new Api(service.url).finish(track.definition, { input: track.input });
    const page = await browser.newPage();
    const answer = await page.goto(`${service.url}/api/v1/runs/${run.id}/artifacts/mix.pattern.svg`);
    const root = await page.evaluate<Drawn>(MEASURE);
    mkdirSync('.cache', { recursive: true });
    const picture = await page.screenshot({ path: '.cache/track.png' });

    expect(answer?.headers()['content-type']).toBe('image/svg+xml');
    expect(root.name).toBe('svg');
    expect(Math.min(root.width, root.height)).toBeGreaterThan(100);
    expect(root.colours).toBeGreaterThan(3);
    expect(picture.byteLength).toBeGreaterThan(5_000);
  }, 60_000);
});
