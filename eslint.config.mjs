/**
 * Rules that need types, and rules that keep the house: purity, sizes, one place for the environment.
 *
 * ESLint replaces a rule's options in a later block, so the lists below are combined by hand in each block.
 */
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

import { commentRules } from './scripts/lint-comments.mjs';

const MAX_PARAMETERS = 4;
const MAX_DEPENDENCIES = 7;
const CONSTRUCTOR = 'MethodDefinition[kind="constructor"] > FunctionExpression';
const FROM_COMMAND = 'take it from the command';

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: a default export has another name in every file.',
};

const fewParameters = {
  selector: `:matches(:function, TSEmptyBodyFunctionExpression, TSMethodSignature)[params.length>${MAX_PARAMETERS}]:not(${CONSTRUCTOR})`,
  message: `At most ${MAX_PARAMETERS} parameters; beyond that take one object.`,
};

const syntax = [
  noDefaultExport,
  fewParameters,
  {
    selector: `${CONSTRUCTOR}[params.length>${MAX_DEPENDENCIES}]`,
    message: `At most ${MAX_DEPENDENCIES} dependencies; beyond that the class does too much.`,
  },
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that declares it.' },
  {
    selector: 'ExportNamedDeclaration[source]',
    message: 'No barrels: import from the file that declares it.',
  },
  { selector: 'MetaProperty[meta.name="import"]', message: 'import.meta is not available under Jest.' },
];

const pureSyntax = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: FROM_COMMAND },
  { selector: 'CallExpression[callee.name="Date"]', message: FROM_COMMAND },
  { selector: ':function[async=true]', message: `Pure code is synchronous: ${FROM_COMMAND}.` },
  { selector: 'AwaitExpression', message: `Pure code is synchronous: ${FROM_COMMAND}.` },
  { selector: 'ForOfStatement[await=true]', message: `Pure code is synchronous: ${FROM_COMMAND}.` },
];

const environment = [
  {
    object: 'process',
    property: 'env',
    message: 'Only platform/config reads the environment; take your group of the configuration.',
  },
];

const clockAndRandom = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
  ['performance', 'now'],
].map(([object, property]) => ({ object, property, message: FROM_COMMAND }));

const impureGlobals = [
  'process',
  'fetch',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'crypto',
].map((name) => ({ name, message: FROM_COMMAND }));

const focusedTests = ['it', 'test', 'describe'].map((object) => ({
  object,
  property: 'only',
  message: 'It leaves the other tests of the file out.',
}));

const scriptGlobals = Object.fromEntries(
  [
    ...['AbortController', 'AbortSignal', 'Buffer', 'TextDecoder', 'TextEncoder', 'URL', 'console', 'fetch'],
    ...['clearInterval', 'clearTimeout', 'setImmediate', 'setInterval', 'setTimeout'],
    ...['gc', 'performance', 'process', 'structuredClone'],
  ].map((name) => [name, 'readonly']),
);

const size = {
  'max-lines': ['warn', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['warn', { max: 60, skipBlankLines: true, skipComments: true }],
  complexity: ['warn', 12],
};

const typed = {
  '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/explicit-module-boundary-types': 'error',
  '@typescript-eslint/strict-boolean-expressions': 'error',
  '@typescript-eslint/require-array-sort-compare': 'error',
  '@typescript-eslint/prefer-readonly': 'error',
  // A parameter that only a subclass reads begins with an underscore; a field may be named to leave it out.
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
  // The other set forbids what this rule asks for.
  '@typescript-eslint/non-nullable-type-assertion-style': 'off',
  // A number in a text is never a mistake; the other kinds that the rule refuses are.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  // Classes serve as types of plain objects: options of Nest, groups of the configuration.
  '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
  // An index signature says what its keys are, `[code: string]`; a record cannot.
  '@typescript-eslint/consistent-indexed-object-style': 'off',
  // The compiler refuses `object.key` on an index signature, so `object['key']` must stay allowed there.
  '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
};

const everywhere = {
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'prefer-const': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'ensemble/todo-has-number': 'error',
  'ensemble/suppression-has-reason': 'error',
};

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', 'data/', 'coverage/', '.cache/'] },
  {
    plugins: { ensemble: { rules: commentRules } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: everywhere,
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...typed,
      ...size,
      'no-restricted-syntax': ['error', ...syntax],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', ...environment],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:process', message: 'Use the global; the environment is read by platform/config.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/platform/config/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Programs that speak through their output.
    files: ['src/main.ts', 'src/command.ts', 'src/agents/providers/strudel/evaluator/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // They describe what others export.
    files: ['**/*.d.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/*/domain/**/*.ts', 'src/kernel/**/*.ts', 'src/expressions/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', ...environment, ...clockAndRandom],
      'no-restricted-syntax': ['error', ...syntax, ...pureSyntax],
    },
  },
  {
    // A route names the parts of its request, a table of cases its columns.
    files: ['src/**/*.controller.ts', '**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...syntax.filter((rule) => rule !== fewParameters)] },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      'max-lines': ['warn', { max: 600, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      'no-restricted-properties': [
        'error',
        ...focusedTests,
        { object: 'jest', property: 'mock', message: 'Use the memory adapter or the scripted provider.' },
      ],
      // Jest's matchers (`expect.any`, `expect.objectContaining`) are typed any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: scriptGlobals },
    rules: {
      'no-undef': 'error',
      'no-unused-vars': 'error',
      'no-restricted-syntax': ['error', noDefaultExport],
    },
  },
  {
    // Tools load the default export of their configuration.
    files: ['*.config.mjs', '.dependency-cruiser.mjs'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
