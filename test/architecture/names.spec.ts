import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const LAYERS = ['kernel', 'expressions', 'platform', 'storage'];
/** Names of capabilities that have no plural. */
const UNCOUNTABLE = ['context', 'access', 'health', 'interop', 'dashboard'];
const LANES = ['architecture', 'property', 'replay', 'simulation', 'contract', 'e2e', 'crash', 'faults'];
const BANNED = [
  ...['util', 'utils', 'helper', 'helpers', 'common', 'shared', 'misc', 'base', 'manager', 'handler'],
  ...['data', 'info', 'impl'],
];
const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|interface|type) (\w+)/gm;

const sources = globSync('{src,test}/**/*.{ts,mjs,sql,lua}', { exclude: ['src/dashboard/web/**'] }).sort();
const folders = [...new Set(sources.map((path) => dirname(path)))].sort();
const typescript = sources.filter((path) => path.endsWith('.ts'));
const suffixes = listSuffixes(readFileSync('CONTRIBUTING.md', 'utf8'));

describe('file names', () => {
  it('are a kebab-case name and at most one suffix of the list in CONTRIBUTING.md', () => {
    expect(sources.filter((path) => !isWellNamed(basename(path)))).toEqual([]);
  });

  it('have no banned word', () => {
    expect(sources.filter((path) => hasBannedWord(basename(path)))).toEqual([]);
  });

  it('are not index: a barrel hides cycles', () => {
    expect(sources.filter((path) => /^index\.\w+$/.test(basename(path)))).toEqual([]);
  });
});

describe('folder names', () => {
  it('are kebab-case without banned words', () => {
    const parts = folders.flatMap((path) => path.split('/'));

    expect(parts.filter((part) => !KEBAB.test(part) || hasBannedWord(part))).toEqual([]);
  });

  it('are plural where they are a feature', () => {
    const features = new Set(folders.flatMap((path) => /^src\/([^/]+)/.exec(path)?.slice(1) ?? []));
    const singular = [...features].filter((name) => !name.endsWith('s') && !UNCOUNTABLE.includes(name));

    expect(singular.filter((name) => !LAYERS.includes(name))).toEqual([]);
  });
});

describe('exported names', () => {
  const exported = typescript.flatMap((path) =>
    Array.from(readFileSync(path, 'utf8').matchAll(DECLARATION), ([, name = '']) => ({ path, name })),
  );

  it('have no banned word', () => {
    expect(exported.filter(({ name }) => hasBannedWord(name))).toEqual([]);
  });

  it('have no I before an interface', () => {
    expect(exported.filter(({ name }) => /^I[A-Z][a-z]/.test(name))).toEqual([]);
  });
});

describe('spec files', () => {
  it('belong to a lane', () => {
    const specs = typescript.filter((path) => path.startsWith('test/') && path.endsWith('.spec.ts'));

    expect(specs.filter((path) => !LANES.includes(path.split('/')[1] ?? ''))).toEqual([]);
  });
});

/** The first cells of the table of suffixes, without back-quotes and dots. */
function listSuffixes(contributing: string): readonly string[] {
  const rows = contributing
    .split('\n')
    .flatMap((line) => /^\| ((?:`\.\w+`,? *)+)\|/.exec(line)?.slice(1) ?? []);
  return rows.flatMap((cells) => Array.from(cells.matchAll(/`\.(\w+)`/g), ([, suffix = '']) => suffix));
}

function isWellNamed(fileName: string): boolean {
  const [name = '', ...rest] = fileName
    .replace(/\.d\.ts$/, '.ts')
    .split('.')
    .slice(0, -1);
  const suffix = rest.at(-1) === 'spec' ? rest.slice(0, -1) : rest;
  return KEBAB.test(name) && suffix.length <= 1 && suffix.every((part) => suffixes.includes(part));
}

function hasBannedWord(name: string): boolean {
  // DATA_DIR is a variable that operators know.
  const words = name.replaceAll(/dataDir/gi, '').match(/[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+/g) ?? [];
  return words.some((word) => BANNED.includes(word.toLowerCase()));
}
