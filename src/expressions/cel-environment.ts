/**
 * The one CEL environment: numbers as JSON has them, and which functions there are.
 *
 * JSON numbers are doubles and literals like `1` are integers, so arithmetic and comparison take both. Functions are
 * a closed list. Left out are `matches` (a pattern can run for ever) and all of bytes, which JSON does not have.
 */
import { Environment } from '@marcbachmann/cel-js';

/** How many nodes the tree of an expression may have. */
const MAX_NODES = 1_000;
/** How deep parentheses, indexes and calls may nest. */
const MAX_DEPTH = 48;

/** Macros that evaluate an argument once per member of a list, with the numbers of arguments that they take. */
const LOOPS: ReadonlyMap<string, readonly number[]> = new Map([
  ['all', [2]],
  ['exists', [2]],
  ['exists_one', [2]],
  ['filter', [2]],
  ['map', [2, 3]],
]);

/** Functions and methods that an expression may call. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  ...['bool', 'double', 'dyn', 'has', 'int', 'size', 'string', 'type', 'timestamp', 'duration'],
  ...[
    'contains',
    'endsWith',
    'indexOf',
    'join',
    'lastIndexOf',
    'lowerAscii',
    'split',
    'startsWith',
    'substring',
  ],
  ...['trim', 'upperAscii', 'bind', 'hasValue', 'none', 'of', 'or', 'orValue', 'value', ...LOOPS.keys()],
  ...[
    'getDate',
    'getDayOfMonth',
    'getDayOfWeek',
    'getDayOfYear',
    'getFullYear',
    'getHours',
    'getMilliseconds',
  ],
  ...['getMinutes', 'getMonth', 'getSeconds'],
]);

/** Names of types, which are values: `type(input.x) == string`. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...['bool', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type'],
]);

/** True for a macro that runs over a list. */
export function isLoop(name: string, argumentCount: number): boolean {
  return LOOPS.get(name)?.includes(argumentCount) ?? false;
}

const ARITHMETIC = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
  '%': (left: number, right: number) => left % right,
};

/** The environment. It is never changed after this. */
export const CEL = createEnvironment();

function createEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: MAX_NODES, maxDepth: MAX_DEPTH },
  });
  for (const [operator, compute] of Object.entries(ARITHMETIC)) {
    const mixed = (left: number | bigint, right: number | bigint): number =>
      compute(Number(left), Number(right));
    environment.registerOperator(`double ${operator} int: double`, mixed);
    environment.registerOperator(`int ${operator} double: double`, mixed);
  }
  return environment
    .registerOperator('double % double: double', ARITHMETIC['%'])
    .registerOperator('int == double: bool', (left: bigint, right: number) => Number(left) === right);
}
