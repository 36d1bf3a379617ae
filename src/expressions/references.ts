/**
 * What a template or an expression reads, known before it is evaluated.
 *
 * Decided here: which names a place offers, and that every step that is read is named in the text.
 * Decided elsewhere: how each language is searched (liquid-syntax.ts, cel-syntax.ts), whether a step exists
 * (workflows/domain).
 */
import type { JsonObject } from '../kernel/json.js';
import type { ExpressionProblem } from './problem.js';

/** The values that an evaluation reads, by the name of their root. Only own keys count. */
export type Scope = JsonObject;

/** What can be read of a step. */
export type StepField = 'output' | 'status' | 'error';

const STEP_FIELDS: readonly StepField[] = ['output', 'status', 'error'];

export interface References {
  /** The first names of everything that is read: `input`, `steps`, or a variable of a prompt template. */
  readonly roots: ReadonlySet<string>;
  /** Steps that are read, by id, with the fields that are read of each; in the order of their first use. */
  readonly steps: ReadonlyMap<string, ReadonlySet<StepField>>;
  /** Everything that is read, dotted, up to the first computed index: `input.user.name`. */
  readonly paths: ReadonlySet<string>;
}

/** References of a text that reads nothing. */
export const NO_REFERENCES: References = { roots: new Set(), steps: new Map(), paths: new Set() };

/** One part of a path: a name, an index, or `undefined` where it is computed at run time. */
export type Segment = string | number | undefined;

/** A problem without its position. */
export type ReferenceProblem = Pick<ExpressionProblem, 'code' | 'message'>;

/**
 * Gathers the references of one text.
 *
 * Where `steps` is one of the roots, each use of it must name its step: `steps.<id>`, `steps["<id>"]`. Without
 * roots every name is a variable and none is special.
 */
export class ReferenceCollector {
  readonly #roots: ReadonlySet<string> | undefined;
  readonly #found = {
    roots: new Set<string>(),
    steps: new Map<string, Set<StepField>>(),
    paths: new Set<string>(),
  };

  /** @param roots the names that the place offers; absent means any name */
  constructor(roots?: ReadonlySet<string>) {
    this.#roots = roots;
  }

  /** What was gathered so far. */
  get references(): References {
    return this.#found;
  }

  /** True when a text must not use the name for a variable of its own, because it would hide a root. */
  isReserved(name: string): boolean {
    return this.#roots?.has(name) ?? false;
  }

  /** Adds one path, root first. Answers with the problem when it may not be read. */
  add(path: readonly Segment[]): ReferenceProblem | undefined {
    const root = path[0];
    if (typeof root !== 'string') return notStatic('the first name of a path must be written out');
    if (this.#roots !== undefined && !this.#roots.has(root)) return this.#unknownRoot(root);
    this.#found.roots.add(root);
    this.#found.paths.add(dotted(path));
    return root === 'steps' && this.#roots !== undefined ? this.#addStep(path[1], path[2]) : undefined;
  }

  #addStep(id: Segment, field: Segment): ReferenceProblem | undefined {
    if (typeof id !== 'string') {
      return notStatic(
        'name the step: steps.<id> or steps["<id>"]; a computed id or all steps at once is refused',
      );
    }
    const known = STEP_FIELDS.find((name) => name === field);
    if (known === undefined && typeof field === 'string') {
      const message = `a step has ${STEP_FIELDS.join(', ')}; steps.${id}.${field} is none of them`;
      return { code: 'reference.unknown-field', message };
    }
    const fields = this.#found.steps.get(id) ?? new Set<StepField>();
    for (const name of known === undefined ? STEP_FIELDS : [known]) fields.add(name);
    this.#found.steps.set(id, fields);
    return undefined;
  }

  #unknownRoot(root: string): ReferenceProblem {
    const offered = [...(this.#roots ?? [])].join(', ');
    return {
      code: 'reference.unknown-root',
      message: `"${root}" is not available here; there are ${offered}`,
    };
  }
}

/** The references of several texts together. */
export function mergeReferences(all: readonly References[]): References {
  const [only, another] = all;
  if (only === undefined) return NO_REFERENCES;
  if (another === undefined) return only;
  const steps = new Map<string, Set<StepField>>();
  for (const [id, fields] of all.flatMap((one) => [...one.steps])) {
    steps.set(id, (steps.get(id) ?? new Set<StepField>()).union(fields));
  }
  return {
    roots: new Set(all.flatMap((one) => [...one.roots])),
    steps,
    paths: new Set(all.flatMap((one) => [...one.paths])),
  };
}

function notStatic(message: string): ReferenceProblem {
  return { code: 'reference.not-static', message };
}

function dotted(path: readonly Segment[]): string {
  const end = path.indexOf(undefined);
  return (end === -1 ? path : path.slice(0, end)).join('.');
}
