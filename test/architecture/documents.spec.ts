/** What the documents point at exists: files, headings, scripts, variables and codes. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { variableNames } from '../../src/platform/config/config.schema.js';

const NOT_OURS = ['node_modules', 'dist', 'coverage', 'data', '.cache', '.git'];
/** Variables of tests and benchmarks. */
const OTHER_VARIABLES = ['BENCH_DATABASE_URL', 'TEST_DATABASE_URL'];
/** Dotted words that are neither code, event nor command. */
const FILES_AND_PACKAGES = /\.(?:json|mjs|io-client)$/;
/** Scripts that npm runs without `run`. */
const SHORT_SCRIPTS = /\bnpm (start|test)\b/g;

const all = globSync('**/*.md', { exclude: (name) => NOT_OURS.includes(name) }).toSorted();
/** The documents that say how things are, and name them as they are in the sources. */
const exact = all.filter((path) =>
  /^(?:README|docs\/(?:architecture|operations|scaling|status|events)|docs\/adr\/.*)\.md$/.test(path),
);
const scripts = Object.keys(
  (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts,
);

interface Named {
  readonly path: string;
  readonly name: string;
}

describe('the documents', () => {
  it('are found', () => {
    expect(all).toEqual(expect.arrayContaining(['README.md', 'docs/adr/README.md', 'docs/architecture.md']));
  });

  it('link to files and headings that exist', () => {
    expect(all.flatMap(linksOf).filter(({ path, name }) => !leadsSomewhere(path, name))).toEqual([]);
  });

  it('name npm scripts that exist', () => {
    const named = all.flatMap((path) => [
      ...matches(path, /\bnpm run ([\w:-]+)/g),
      ...matches(path, SHORT_SCRIPTS),
    ]);

    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ name }) => !scripts.includes(name))).toEqual([]);
  });

  it('name files that exist', () => {
    const named = exact.flatMap((path) => matches(path, /`((?:src|test|docs|scripts)\/[^`\s]*)`/g));

    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ name }) => globSync(name).length === 0)).toEqual([]);
  });

  it('name variables that exist', () => {
    const named = exact.flatMap((path) => [
      ...matches(path, /`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|HOST|PORT|ROLE)(?:=[^`]*)?`/g),
      ...matches(path, /^(?:.*\s)?([A-Z][A-Z0-9_]{2,})=/gm),
    ]);

    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ name }) => ![...variableNames, ...OTHER_VARIABLES].includes(name))).toEqual([]);
  });

  it('name series of Prometheus that exist', () => {
    const known = globSync('src/metrics/*.ts').flatMap((path) => [
      ...matches(path, /'(ensemble_\w+)'/g),
      ...matches(path, /this\.(?:counter|histogram|durations)\(\s*'(\w+)'/g).map(({ name }) => ({
        name: `ensemble_${name}`,
      })),
    ]);
    const names = new Set(known.map(({ name }) => name));
    const files = [...exact, ...globSync('docs/deploy/*.json')];
    const named = files.flatMap((path) => matches(path, /\b(ensemble_[a-z_]+)\b/g));

    expect(named.length).toBeGreaterThan(0);
    expect(
      named.filter(({ name }) => !names.has(name) && !names.has(name.replace(/_(?:bucket|sum|count)$/, ''))),
    ).toEqual([]);
  });

  it('say nothing twice on the pages that everybody adds to', () => {
    const said = ['docs/status.md', 'docs/architecture.md', 'docs/adr/README.md'].flatMap((path) =>
      matches(path, /^(.{40,})$/gm),
    );
    const words = readFileSync('docs/glossary.md', 'utf8')
      .split(/^## /m)
      .flatMap((part, index) =>
        Array.from(part.matchAll(/^\| ([A-Z][^|]*) \|/gm), ([, word = '']) => `${String(index)} ${word}`),
      );

    expect(said.filter(({ name }, index) => said.findIndex((one) => one.name === name) !== index)).toEqual(
      [],
    );
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it('are listed, where they are decisions', () => {
    const decisions = all.filter((path) => /^docs\/adr\/\d{4}-/.test(path));

    expect(linksOf('docs/adr/README.md').map(({ name }) => join('docs/adr', name))).toEqual(decisions);
  });
});

describe('README.md', () => {
  it('names codes, events and commands that exist', () => {
    const known = new Set(
      globSync('src/**/*.{errors,events,contract}.ts').flatMap((path) =>
        matches(path, /'([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)'/g).map(({ name }) => name),
      ),
    );
    const named = matches('README.md', /[`']([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)[`']/g);

    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ name }) => !known.has(name) && !FILES_AND_PACKAGES.test(name))).toEqual([]);
  });
});

/** What the only group of a pattern finds in a file. */
function matches(path: string, pattern: RegExp): readonly Named[] {
  return Array.from(readFileSync(path, 'utf8').matchAll(pattern), ([, name = '']) => ({ path, name }));
}

/** The links and pictures of a document that do not lead to another site. */
function linksOf(path: string): readonly Named[] {
  const text = readFileSync(path, 'utf8')
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '');
  return Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, name = '']) => ({ path, name })).filter(
    ({ name }) => !/^[a-z]+:/.test(name),
  );
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', heading] = link.split('#');
  const target = file === '' ? from : normalize(join(dirname(from), file));
  if (!existsSync(target)) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

/** The headings of a document as links name them. */
function headingsOf(path: string): readonly string[] {
  return matches(path, /^#+ (.+)$/gm).map(({ name }) =>
    name
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
