/**
 * The one Liquid engine: its limits, its tags, and the context in which a template is rendered.
 *
 * Decided here: which tags there are and what an include is. Filters: liquid-filters.ts. What a template may read:
 * liquid-syntax.ts. Never: files, layouts, tags that change what they are given (`increment`), HTML tables.
 */
import {
  AssignTag,
  CaptureTag,
  CaseTag,
  Context,
  evalToken,
  ForTag,
  Hash,
  Liquid,
  Tag,
  TypeGuards,
  type Emitter,
  type Parser,
  type TagToken,
  type Template,
  type TopLevelToken,
  type Value,
} from 'liquidjs';

import { countWhole, OPERATORS, type Rendering } from './liquid-cost.js';
import { listFilters } from './liquid-filters.js';
import { TextEmitter } from './liquid-output.js';

/** The longest template, in UTF-16 units, with all that it includes. */
const MAX_TEMPLATE_LENGTH = 262_144;
/** How many outputs and tags one text may have. */
const MAX_TAGS = 10_000;

/** How deep includes may nest. */
const MAX_INCLUDE_DEPTH = 5;

/** The text of a template by its reference (`name`, `name@label`), or undefined when there is none. */
export type TemplateLookup = (reference: string) => string | undefined;

/** What one template reads while it is rendered. */
export class TemplateContext extends Context {
  constructor(
    scope: object,
    readonly rendering: Rendering,
  ) {
    const limits = { memoryLimit: rendering.size, renderLimit: rendering.parts };
    super(scope, ENGINE.options, { sync: true }, { liquid: ENGINE, ...limits });
  }

  /** The context of one member of a list, for filters like `where`: a member may lack the property. */
  override spawn(scope?: object): Context {
    const context = super.spawn(scope);
    context.strictVariables = false;
    return context;
  }
}

/**
 * The templates that one template includes: found by reference, never one that is being included already, bounded in
 * depth; the parser bounds their length.
 */
class Includes {
  /** Names of the templates around the place, outermost first. */
  readonly #names: string[];
  #depth = 0;

  /** @param name of the template itself, where it has one */
  constructor(
    private readonly lookup: TemplateLookup,
    name?: string,
  ) {
    this.#names = name === undefined ? [] : [name];
  }

  parse(reference: string, parser: Parser): Template[] {
    const name = nameIn(reference);
    if (this.#names.includes(name)) {
      throw new RangeError(`"${name}" includes itself: ${[...this.#names, name].join(' → ')}`);
    }
    const text = this.lookup(reference);
    if (text === undefined) throw new RangeError(`there is no text template "${reference}"`);
    checkSize(text);
    if (this.#depth >= MAX_INCLUDE_DEPTH) {
      throw new RangeError(
        `includes nest deeper than ${MAX_INCLUDE_DEPTH}: ${[...this.#names, name].join(' → ')}`,
      );
    }
    this.#depth += 1;
    this.#names.push(name);
    const templates = parser.parse(text, reference);
    this.#names.pop();
    this.#depth -= 1;
    return templates;
  }
}

/** Whatever its version, a template is the same when it comes to including itself. */
function nameIn(reference: string): string {
  return reference.split('@', 1)[0] ?? reference;
}

/** An engine that carries the includes of the template being parsed. */
type IncludingLiquid = Liquid & { readonly includes?: Includes };

/**
 * `{% render "name@label", tone: input.tone %}`, also written `include`: the template is found, parsed and checked with
 * the one around it. It reads what that one reads, and the variables that it is given.
 */
export class IncludeTag extends Tag {
  readonly #templates: Template[];
  readonly #variables: Hash;

  constructor(token: TagToken, rest: TopLevelToken[], liquid: IncludingLiquid, parser: Parser) {
    super(token, rest, liquid);
    if (liquid.includes === undefined) throw new RangeError('templates cannot be included here');
    const name = this.tokenizer.readValue();
    if (!TypeGuards.isQuotedToken(name)) throw new SyntaxError('write the name of the template in quotes');
    this.#variables = new Hash(this.tokenizer);
    this.#templates = liquid.includes.parse(name.content, parser);
  }

  *render(context: Context, emitter: Emitter): Generator<unknown, void, Record<string, unknown>> {
    context.push(Object.assign(Object.create(null) as object, yield this.#variables.render(context)));
    yield this.liquid.renderer.renderTemplates(this.#templates, context, emitter);
    context.pop();
  }

  *children(): Generator<unknown, Template[]> {
    return this.#templates;
  }

  blockScope(): string[] {
    return Object.keys(this.#variables.hash);
  }

  *arguments(): Generator<never> {
    yield* Object.values(this.#variables.hash).filter(TypeGuards.isValueToken) as never[];
  }
}

/** `{% assign name = value %}`. The library's own takes a missing variable for an empty one. */
class StrictAssignTag extends AssignTag {
  readonly #value: Value;
  readonly #name: string;

  constructor(token: TagToken, rest: TopLevelToken[], liquid: Liquid) {
    super(token, rest, liquid);
    [this.#value] = super.arguments() as unknown as [Value];
    [this.#name] = Array.from(super.localScope(), (name) => name.content) as [string];
  }

  override *render(context: Context): Generator<unknown, void, unknown> {
    context.bottom()[this.#name] = yield this.#value.value(context, false);
  }
}

/** `{% capture name %}…{% endcapture %}`, with values written as everywhere else. */
class TextCaptureTag extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, string> {
    const emitter = new TextEmitter(context.memoryLimit);
    yield this.liquid.renderer.renderTemplates(this.templates, context, emitter);
    context.bottom()[this.variable] = emitter.buffer;
  }
}

/** `{% for %}`. The library's own copies what it runs over, at each start, without counting it. */
class CountingForTag extends ForTag {
  override *render(context: Context, emitter: Emitter): ReturnType<ForTag['render']> {
    countWhole(context, yield evalToken(this.collection, context, true));
    yield* super.render(context, emitter);
  }
}

/** `{% case %}`, of texts and numbers. */
class PlainCaseTag extends CaseTag {
  override *render(context: Context, emitter: Emitter): ReturnType<CaseTag['render']> {
    const value: unknown = yield this.value.value(context, true);
    if (Array.isArray(value)) throw new TypeError('case takes a text or a number, not a list');
    yield* super.render(context, emitter);
  }
}

/** Stands for a tag of the library that we do not offer. */
const REFUSED_TAG: Parameters<Liquid['registerTag']>[1] = {
  parse({ name }: TagToken) {
    throw new SyntaxError(`the tag "${name}" is not available`);
  },
  render: () => undefined,
};

const LIBRARY_TAGS = ['break', 'comment', 'continue', 'cycle', 'echo', 'if', 'liquid', 'raw', 'unless', '#'];
const OUR_TAGS = {
  assign: StrictAssignTag,
  capture: TextCaptureTag,
  case: PlainCaseTag,
  for: CountingForTag,
  include: IncludeTag,
  render: IncludeTag,
};

/** The engine. It reads no file, and it is never changed after this. */
export const ENGINE = createEngine();

/**
 * Parses a template together with what it includes.
 *
 * @throws LiquidError for bad syntax, with the token at which it is; RangeError for text that is too large
 */
export function parseTemplate(text: string, lookup?: TemplateLookup, name?: string): Template[] {
  checkSize(text);
  return lookup === undefined ? ENGINE.parse(text) : engineWith(new Includes(lookup, name)).parse(text);
}

function engineWith(includes: Includes): Liquid {
  return Object.create(ENGINE, { includes: { value: includes } }) as Liquid;
}

function checkSize(text: string): void {
  if (text.length > MAX_TEMPLATE_LENGTH) {
    throw new RangeError(
      `a template has at most ${MAX_TEMPLATE_LENGTH} characters; this one has ${text.length}`,
    );
  }
  const tags = text.match(/\{[{%]/g)?.length ?? 0;
  if (tags > MAX_TAGS) {
    throw new RangeError(`a template has at most ${MAX_TAGS} outputs and tags; this one has ${tags}`);
  }
}

function createEngine(): Liquid {
  const engine = new Liquid({
    templates: {},
    ownPropertyOnly: true,
    strictVariables: true,
    lenientIf: true,
    strictFilters: true,
    jsTruthy: true,
    groupedExpressions: true,
    parseLimit: MAX_TEMPLATE_LENGTH,
    operators: OPERATORS,
    locale: 'en-US',
    timezoneOffset: 0,
  });
  for (const name of Object.keys(engine.filters)) engine.unregisterFilter(name);
  for (const [name, handler] of listFilters()) engine.registerFilter(name, handler);
  for (const name of Object.keys(engine.tags)) {
    if (!LIBRARY_TAGS.includes(name)) engine.registerTag(name, REFUSED_TAG);
  }
  for (const [name, tag] of Object.entries(OUR_TAGS)) engine.registerTag(name, tag);
  return engine;
}
