/**
 * Settings made ready for calls: every text with braces compiled, every secret known by name.
 *
 * Decided here: what settings may read, and all that is wrong with them. Decided elsewhere: their shape
 * (settings.schema.ts), and what a call makes of them (request.ts, answer.ts).
 */
import { compileCel, type CompiledCel } from '../../../expressions/cel.js';
import { compileTemplate, type CompiledTemplate } from '../../../expressions/liquid.js';
import { describeProblem, type ExpressionProblem } from '../../../expressions/problem.js';
import type { References } from '../../../expressions/references.js';
import { compileValue, type CompiledValue } from '../../../expressions/value.js';
import type { Issue } from '../../../kernel/failure.js';
import { getOwn, isJsonObject, pointerOf, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { issuesOf } from '../../domain/issues.js';
import { httpSettingsSchema, type HttpSettings } from './settings.schema.js';

const REQUEST_ROOTS = new Set(['input', 'agent', 'run', 'secrets']);
const ANSWER_ROOTS = new Set(['status', 'headers', 'body', 'input', 'agent', 'run']);
const SECRETS = 'secrets.';

/** How the output is made of an answer; absent: it is the body. */
export type OutputPlan =
  | { readonly kind: 'braces'; readonly value: CompiledValue }
  | { readonly kind: 'cel'; readonly cel: CompiledCel };

export interface CallPlan {
  readonly settings: HttpSettings;
  readonly url: CompiledTemplate;
  readonly headers: CompiledValue;
  readonly query: CompiledValue;
  /** Absent: the input, where the method has a body. */
  readonly body?: CompiledValue;
  readonly output?: OutputPlan;
  /** Secrets that texts with braces read. */
  readonly secretNames: readonly string[];
}

/** Compiles settings, or answers every problem with its pointer from the root of the settings. */
export function compilePlan(json: JsonObject): Result<CallPlan, readonly Issue[]> {
  const parsed = httpSettingsSchema.safeParse(json);
  if (!parsed.success) return fail(issuesOf(parsed.error.issues, 'field.invalid'));
  const compiler = new PlanCompiler(json);
  const plan = compiler.compile(parsed.data);
  return compiler.issues.length > 0 ? fail(compiler.issues) : ok(plan);
}

/** Reads a caller's own JSON from the settings as they came: a schema would not keep every key. */
class PlanCompiler {
  readonly issues: Issue[] = [];
  private readonly references: References[] = [];

  constructor(private readonly json: JsonObject) {}

  compile(settings: HttpSettings): CallPlan {
    const body = getOwn(this.json, 'body');
    const plan = {
      settings,
      url: this.text(settings.url),
      headers: this.value(getOwn(this.json, 'headers') ?? {}, ['headers']),
      query: this.value(getOwn(this.json, 'query') ?? {}, ['query']),
      ...(body !== undefined && { body: this.value(body, ['body']) }),
    };
    const output = this.output(settings);
    return { ...plan, ...(output !== undefined && { output }), secretNames: this.secretNames() };
  }

  private text(url: string): CompiledTemplate {
    const compiled = compileTemplate(url, { roots: REQUEST_ROOTS, asText: true });
    if (compiled.ok) this.references.push(compiled.value.references);
    else this.add(['url'], compiled.failure);
    return compiled.ok ? compiled.value : NOTHING;
  }

  private value(json: Json, path: readonly string[], roots = REQUEST_ROOTS): CompiledValue {
    const compiled = compileValue(json, { roots });
    if (compiled.ok) {
      this.references.push(compiled.value.references);
      return compiled.value;
    }
    for (const problem of compiled.failure) this.add(path, problem, problem.pointer);
    return { json: null, references: NOTHING.references, texts: [] };
  }

  private output({ response }: HttpSettings): OutputPlan | undefined {
    const given = getOwn(this.json, 'response');
    const output = isJsonObject(given) ? getOwn(given, 'output') : undefined;
    if (output !== undefined)
      return { kind: 'braces', value: this.value(output, ['response', 'output'], ANSWER_ROOTS) };
    if (response?.transform === undefined) return undefined;
    const cel = compileCel(response.transform, { roots: ANSWER_ROOTS });
    if (cel.ok) return { kind: 'cel', cel: cel.value };
    this.add(['response', 'transform'], cel.failure);
    return undefined;
  }

  private secretNames(): readonly string[] {
    const paths = new Set(this.references.flatMap((one) => [...one.paths]));
    if (paths.has('secrets'))
      this.issues.push({
        pointer: '',
        code: 'reference.not-static',
        message: 'name the secret: secrets.<name>',
      });
    return [...paths].filter((path) => path.startsWith(SECRETS)).map((path) => path.slice(SECRETS.length));
  }

  private add(path: readonly string[], problem: ExpressionProblem, pointer = ''): void {
    this.issues.push({
      pointer: pointerOf(path) + pointer,
      code: problem.code,
      message: describeProblem(problem),
    });
  }
}

const NOTHING: CompiledTemplate = {
  text: '',
  references: { roots: new Set(), steps: new Map(), paths: new Set() },
  required: new Set(),
};
