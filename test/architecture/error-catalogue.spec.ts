import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { ErrorType } from '../../src/kernel/failure.js';
import { ErrorCatalogue } from '../../src/platform/http/error.catalogue.js';
import { statusOf } from '../../src/platform/http/problem.js';
import { startApp } from '../support/app.js';

const CODE = /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/;

const declared = globSync('src/**/*.errors.ts').flatMap(typesIn);
const codes = declared.map(({ code }) => code).toSorted();

/** One test starts the whole service, which takes its time on a loaded machine. */
jest.setTimeout(60_000);

describe('error codes', () => {
  it('are declared once each', () => {
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  it('are a noun and a state with hyphens', () => {
    expect(codes.filter((code) => !CODE.test(code))).toEqual([]);
  });

  it('are declared in files of errors only', () => {
    const elsewhere = globSync('src/**/*.ts').filter(
      (path) => /\bdefineErrors\(/.test(readFileSync(path, 'utf8')) && !/\.(errors|spec)\.ts$/.test(path),
    );

    expect(elsewhere).toEqual(['src/kernel/failure.ts']);
  });

  it('are explained in docs/errors.md as they are declared (node scripts/write-errors.mjs)', () => {
    const rows = readFileSync('docs/errors.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));

    expect(rows).toEqual(declared.toSorted((a, b) => (a.code < b.code ? -1 : 1)).map(rowOf));
  });

  it('are explained by the service, all of them', async () => {
    const { app, url, close } = await startApp();
    try {
      const known = app.get(ErrorCatalogue).list();
      const explained = (await (await fetch(`${url}/problems/route.not-found`)).json()) as object;

      expect(known.map(({ code }) => code)).toEqual(codes);
      expect(explained).toEqual({
        type: '/problems/route.not-found',
        code: 'route.not-found',
        title: 'There is no such route',
        status: 404,
        retryable: false,
      });
      expect((await fetch(`${url}/problems/no.such-code`)).status).toBe(404);
    } finally {
      await close();
    }
  });
});

function typesIn(path: string): readonly ErrorType[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the files are found by name, and Jest loads CommonJS
  const declarations = require(resolve(path)) as Record<string, Record<string, ErrorType>>;
  return Object.values(declarations).flatMap((types) => Object.values(types));
}

function rowOf({ code, kind, retryable, title }: ErrorType): string {
  return `| \`${code}\` | ${statusOf(kind)} | ${kind} | ${retryable ? 'yes' : 'no'} | ${title} |`;
}
