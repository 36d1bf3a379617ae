/**
 * What a rendering may cost: counted, never timed, so that it fails or succeeds alike on every machine.
 *
 * Two budgets: parts of the template that are rendered (outputs, tags, text, once per round of a loop), and
 * characters and members of lists that are made or looked at. The library counts what most filters make; here stands
 * what it leaves out.
 */
import { defaultOperators, Drop, toValue, type Context, type LiquidOptions } from 'liquidjs';

/** How many parts one rendering may have. */
const MAX_PARTS = 100_000;
/** Characters and members that one rendering may make or look at, its output included. */
const MAX_RENDER_SIZE = 16_777_216;

/** Comparing two values takes as long as making so many characters. */
const COMPARISON = 4;
/** Searching for a pattern counts the text once for each such piece of the pattern. */
const PATTERN_PIECE = 64;

/** What one evaluation has spent, and what it missed; the templates of one value share it. */
export class Rendering {
  /** The variables that were required and had no value, as they are written. */
  readonly missing = new Set<string>();
  /** Parts of templates. The library asks before each, to check the time. */
  readonly parts: Limiter = limiter(
    new Count(MAX_PARTS, 'parts of templates are rendered; is a loop too long?'),
  );
  /** Characters and members. */
  readonly size: Limiter = limiter(
    new Count(MAX_RENDER_SIZE, 'characters and members of lists are made or looked at'),
  );
}

/** How the library counts. */
type Limiter = Context['memoryLimit'];

/** Counts up to a limit. */
class Count {
  #left: number;

  constructor(
    private readonly limit: number,
    private readonly what: string,
  ) {
    this.#left = limit;
  }

  /** Counts one, whatever time it is. */
  check(): void {
    this.use(1);
  }

  use(count: number): void {
    if (count > 0) this.#left -= count;
    if (this.#left < 0) throw new RangeError(`more than ${this.limit} ${this.what}`);
  }
}

/** The class of the library has private fields, so no other can have its type. */
function limiter(count: Count): Limiter {
  return count as unknown as Limiter;
}

/** Counts a value that is looked at from end to end: its characters, members or keys. */
export function countWhole(context: Context, value: unknown): void {
  if (typeof value === 'string' || Array.isArray(value)) context.memoryLimit.use(value.length);
  else if (isObject(value)) context.memoryLimit.use(Object.keys(value).length);
}

/** Counts the search for a pattern in a text. */
export function countSearch(context: Context, text: unknown, pattern: unknown): void {
  if (typeof text !== 'string' || typeof pattern !== 'string') return;
  context.memoryLimit.use(text.length * Math.ceil(pattern.length / PATTERN_PIECE));
}

/** True for an object of a caller's; false for a list and for the markers of the library. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Drop);
}

/** The operators of the library; those that look at whole values count them. Lists and objects are equal by content. */
export const OPERATORS: Operators = {
  ...defaultOperators,
  '==': compare('==', (isSame) => isSame),
  '!=': compare('!=', (isSame) => !isSame),
  contains: (left: unknown, right: unknown, context: Context) => {
    const [whole, part] = [toValue(left), toValue(right)] as unknown[];
    countWhole(context, whole);
    countSearch(context, whole, part);
    if (Array.isArray(whole)) return whole.some((member) => isEqual(member, part, context));
    return typeof whole === 'string' && whole.includes(String(part));
  },
};

type Operators = NonNullable<LiquidOptions['operators']>;

/** Comparing with `nil`, `empty` or `blank` is the library's. */
function compare(operator: '==' | '!=', answer: (isSame: boolean) => boolean): Operators[string] {
  const ofLibrary = defaultOperators[operator];
  return (left: unknown, right: unknown, context: Context) =>
    ofLibrary !== undefined && (left instanceof Drop || right instanceof Drop)
      ? ofLibrary(left, right, context)
      : answer(isEqual(left, right, context));
}

function isEqual(left: unknown, right: unknown, context: Context): boolean {
  context.memoryLimit.use(COMPARISON);
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((member, at) => isEqual(member, right[at], context));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const members = new Map<string, unknown>(Object.entries(right));
  const entries = Object.entries(left);
  return (
    entries.length === members.size &&
    entries.every(([key, member]) => members.has(key) && isEqual(member, members.get(key), context))
  );
}
