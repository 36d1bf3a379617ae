/**
 * How long matching a user's regular expression may take, judged by its text. Pure.
 *
 * A backtracking engine tries every way in which a pattern can match. So the ways are counted: a repetition without
 * bound within another, or too many ways in all, is refused. Some harmless patterns are refused too.
 */

/** The longest pattern. */
const MAX_LENGTH = 256;

/** In how many ways the bounded parts of a pattern may match. */
const MAX_WAYS = 1_000_000;

/** How many repetitions without bound a pattern may have one after another. */
const MAX_LOOPS = 4;

interface Cost {
  readonly ways: number;
  readonly loops: number;
}

const FIXED: Cost = { ways: 1, loops: 0 };
const EXPONENTIAL: Cost = { ways: Infinity, loops: Infinity };

/** True for a pattern that could take too long. What is not a regular expression at all is found elsewhere. */
export function isCostly(pattern: string): boolean {
  if (pattern.length > MAX_LENGTH || /\\(?:[1-9]|k<)/.test(pattern)) return true;
  const { ways, loops } = new PatternReader(pattern).read();
  return !(ways <= MAX_WAYS && loops <= MAX_LOOPS);
}

/**
 * How many steps it may take to find that a text of so many characters does not match, at most and roughly: the ways to
 * share its characters among the repetitions, and among the places where a match may begin.
 */
export function stepsOf(pattern: string): (length: number) => number {
  const { ways, loops } = new PatternReader(pattern).read();
  const shares = beginsAtStart(pattern) ? loops : loops + 1;
  return (length) => {
    let steps = Math.min(ways, 2 ** length);
    for (let share = 1; share <= shares; share += 1) steps *= (length + share) / share;
    return steps;
  };
}

/** Of alternatives only the first one would. */
function beginsAtStart(pattern: string): boolean {
  return pattern.startsWith('^') && !pattern.includes('|');
}

/** Reads a pattern from left to right, alternative by alternative. */
class PatternReader {
  private at = 0;

  constructor(private readonly text: string) {}

  /** The cost of all alternatives up to the end of the group, or of the pattern. */
  read(): Cost {
    let [all, current] = [{ ways: 0, loops: 0 }, FIXED];
    while (this.at < this.text.length && this.text[this.at] !== ')') {
      if (this.takes(/\|/y)) [all, current] = [either(all, current), FIXED];
      else current = both(current, this.repeated(this.atom()));
    }
    return either(all, current);
  }

  private atom(): Cost {
    if (this.takes(/\\.|\[(?:\\.|[^\]\\])*\]|[^(]/sy)) return FIXED;
    this.takes(/\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/y);
    const inner = this.read();
    this.at += 1; // the closing bracket
    return inner;
  }

  private repeated(inner: Cost): Cost {
    const [, sign, least, comma, most] = this.match(/(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y) ?? [];
    if (sign === '?') return times(inner, 0, 1);
    if (sign !== undefined) return times(inner, 0, Infinity);
    if (least === undefined) return inner;
    const min = Number(least);
    return times(inner, min, comma === '' ? min : most === '' ? Infinity : Number(most));
  }

  private takes(pattern: RegExp): boolean {
    return this.match(pattern) !== null;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at += found?.[0].length ?? 0;
    return found;
  }
}

function either(a: Cost, b: Cost): Cost {
  return { ways: a.ways + b.ways, loops: Math.max(a.loops, b.loops) };
}

function both(a: Cost, b: Cost): Cost {
  return { ways: a.ways * b.ways, loops: a.loops + b.loops };
}

function times(inner: Cost, min: number, max: number): Cost {
  if (max === 0) return FIXED;
  if (max === Infinity) return inner.ways > 1 || inner.loops > 0 ? EXPONENTIAL : { ways: 1, loops: 1 };
  return { ways: inner.ways ** max * (max - min + 1), loops: inner.loops * max };
}
