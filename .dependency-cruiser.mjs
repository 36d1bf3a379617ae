/**
 * Who may import whom. Types count as much as values.
 *
 * Layers from the bottom: kernel; expressions and domain; application (services, ports, engine); delivery
 * (controllers, gateways, DTOs) and adapters (storage, agent providers); the root files. `platform` carries the
 * plumbing and knows no feature. Specs and test/ may import anything.
 */
import { readdirSync } from 'node:fs';

/** Which other features a feature may import. Everything that is not listed is forbidden. */
const FEATURES = {
  access: [],
  agents: ['templates'],
  approvals: ['runs'],
  budgets: [],
  context: [],
  dashboard: [],
  events: ['runs', 'patterns'],
  health: [],
  interop: ['workflows', 'runs'],
  metrics: ['runs'],
  patterns: ['workflows', 'runs'],
  runs: ['workflows', 'agents', 'templates', 'context', 'budgets'],
  schedules: ['runs', 'workflows'],
  templates: [],
  webhooks: ['runs'],
  workflows: ['agents', 'templates'],
};

/** Features that every other feature may import: `health` owns the indicator that a feature registers. */
const FOR_ALL = ['health'];

const LAYERS = ['kernel', 'expressions', 'platform', 'storage'];

/** Where the client libraries of an engine or a protocol may be imported. */
const CLIENTS = {
  'src/storage/': ['better-sqlite3', 'bullmq', 'ioredis', 'kysely', 'pg'],
  'src/agents/providers/': ['@ai-sdk/[^/]+', '@strudel/[^/]+', 'ai', 'quickjs-emscripten'],
  'src/(agents/providers|interop)/': ['@a2a-js/[^/]+', '@modelcontextprotocol/[^/]+'],
  'src/(agents/providers|platform)/': ['undici'],
  'src/schedules/domain/': ['cron-parser'],
};

const TESTS = '^test/|\\.spec\\.ts$';
const ADAPTERS = '^src/(storage|agents/providers)/';
const DELIVERY = '\\.(controller|gateway|dto)\\.ts$|^src/[^/]+/dto/';
const ROOT_FILE = '^src/[^/]+\\.ts$';
const features = Object.keys(FEATURES);

for (const { name } of readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  if (LAYERS.includes(name) || features.includes(name)) continue;
  throw new Error(`src/${name} is neither a layer nor in the map of features in .dependency-cruiser.mjs.`);
}

function rule(name, comment, from, to) {
  return {
    name,
    comment,
    severity: 'error',
    from: { pathNot: TESTS, ...from },
    to: { couldNotResolve: false, ...to },
  };
}

const layerRules = [
  rule(
    'kernel-is-a-leaf',
    'The kernel imports nothing but itself.',
    { path: '^src/kernel/' },
    { pathNot: '^src/kernel/' },
  ),
  rule(
    'expressions-are-pure',
    'Expressions import the kernel and their two languages.',
    { path: '^src/expressions/' },
    { pathNot: ['^src/(kernel|expressions)/', ...inNodeModules(['liquidjs', '@marcbachmann/cel-js'])] },
  ),
  rule(
    'domain-is-pure',
    'A domain imports the kernel, expressions, domains, zod and cron-parser: no Nest, no Node module, no service.',
    { path: '^src/[^/]+/domain/' },
    {
      pathNot: ['^src/(kernel|expressions)/', '^src/[^/]+/domain/', ...inNodeModules(['zod', 'cron-parser'])],
    },
  ),
  rule(
    'platform-knows-no-feature',
    'The platform imports the kernel.',
    { path: '^src/platform/' },
    { path: '^src/', pathNot: '^src/(kernel|platform)/' },
  ),
  rule(
    'application-knows-no-delivery',
    'A service, port or engine does not know how it is reached. A module composes its own folder.',
    // The gateway's folder is delivery as a whole: its commands carry DTOs.
    { path: `^src/(${features.join('|')})/`, pathNot: [TESTS, DELIVERY, '^src/events/', '\\.module\\.ts$'] },
    { path: DELIVERY },
  ),
  rule(
    'storage-is-plugged-in-once',
    'Only app.module.ts picks the storage adapters.',
    { pathNot: [TESTS, '^src/storage/', '^src/app\\.module\\.ts$'] },
    { path: '^src/storage/' },
  ),
  rule(
    'adapters-know-ports-only',
    'An adapter imports the ports that it implements and domains, not services, controllers or modules.',
    { path: ADAPTERS },
    { path: `^src/(${features.join('|')})/.*\\.(service|controller|gateway|module)\\.ts$` },
  ),
  rule(
    'adapters-are-apart',
    'One engine or provider does not import the folder of another. What serves one process may serve inside of others.',
    { path: '^src/(storage|agents/providers)/([^/]+)/' },
    { path: '^src/$1/[^/]+/', pathNot: ['^src/$1/$2/', '^src/storage/memory/in-process-[^/]+$'] },
  ),
  rule(
    'root-is-not-imported',
    'main, app, app.module and the other root files are for each other only.',
    { path: '^src/[^/]+/' },
    { path: ROOT_FILE },
  ),
];

const featureRules = [
  rule(
    'feature-surface',
    'Outside a feature only its top-level files and its domain may be imported.',
    { path: '^src/([^/]+)/' },
    { path: `^src/(${features.join('|')})/(?!domain/)[^/]+/`, pathNot: '^src/$1/' },
  ),
  ...features.map((feature) =>
    rule(
      `${feature}-imports`,
      `${feature} may import ${[...FEATURES[feature], ...FOR_ALL].join(', ')}.`,
      { path: `^src/${feature}/` },
      {
        path: `^src/(${features.join('|')})/`,
        pathNot: `^src/(${[feature, ...FEATURES[feature], ...FOR_ALL].join('|')})/`,
      },
    ),
  ),
];

const packageRules = [
  ...Object.entries(CLIENTS).map(([where, packages]) =>
    rule(
      'clients-live-in-adapters',
      `${packages.join(', ')}: in ${where} only.`,
      { path: '^src/', pathNot: [TESTS, `^${where}`] },
      { path: inNodeModules(packages) },
    ),
  ),
  rule(
    'no-test-in-source',
    'What is shipped imports neither tests nor development dependencies.',
    { path: '^src/' },
    { path: TESTS },
  ),
  rule(
    'no-development-dependency-in-source',
    'It is not there in production.',
    { path: '^src/' },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-optional'] },
  ),
  rule(
    'no-undeclared-package',
    'Every package that is imported is named in package.json.',
    {},
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  ),
];

const generalRules = [
  {
    name: 'no-circular',
    comment: 'No cycles, not even of types.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-unresolvable',
    comment: 'The imported file exists.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
];

function inNodeModules(packages) {
  return packages.map((name) => `(^|/)node_modules/${name}/`);
}

export default {
  forbidden: [...layerRules, ...featureRules, ...packageRules, ...generalRules],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|data)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
