/**
 * Which Liquid filters there are, and how they treat JSON.
 *
 * A closed list: a filter that a new version of the library brings is refused until someone has looked at it. Left
 * out are filters that are random (`sample`), evaluate text (`where_exp` and its kin) or undo our output (`raw`).
 */
import { filters, toValue, type Context } from 'liquidjs';

import { countSearch, countWhole, isObject } from './liquid-cost.js';

type Handler = (this: { readonly context: Context }, value: unknown, ...args: unknown[]) => unknown;

/** Filters that are taken as they are. */
const PLAIN = [
  ...[
    'abs',
    'at_least',
    'at_most',
    'ceil',
    'divided_by',
    'floor',
    'minus',
    'modulo',
    'plus',
    'round',
    'times',
  ],
  ...['default', 'json', 'to_integer'],
];

/** Filters that go through a list. */
const LISTS = [
  ...['compact', 'concat', 'first', 'last', 'map', 'pop', 'reverse', 'shift', 'size', 'sort'],
  ...['sort_natural', 'sum', 'uniq'],
];

/** Filters that look at a property of each member of a list; it may be compared with a text or a number. */
const SELECTING = ['find', 'find_index', 'group_by', 'has', 'reject', 'where'];

/** Filters that work on text: an object or a list that comes in is taken as its JSON text. */
const TEXT = [
  ...['append', 'capitalize', 'downcase', 'lstrip', 'prepend', 'rstrip', 'squish', 'strip', 'strip_newlines'],
  ...['truncate', 'truncatewords', 'upcase', 'normalize_whitespace', 'number_of_words', 'slugify'],
  ...['escape', 'escape_once', 'newline_to_br', 'strip_html', 'xml_escape', 'base64_decode', 'base64_encode'],
  ...['cgi_escape', 'uri_escape', 'url_decode', 'url_encode', 'hmac_sha256', 'sha256'],
];

/** Filters that look for a text in a text. */
const SEARCHING = [
  ...['remove', 'remove_first', 'remove_last', 'replace', 'replace_first', 'replace_last', 'split'],
];

/** Filters that make text of the members of a list. */
const JOINING = ['array_to_sentence_string', 'join'];

/** Filters that put their argument into a list. */
const ADDING = ['push', 'unshift'];

/** Filters of dates; they know no current time. */
const DATES = ['date', 'date_to_long_string', 'date_to_rfc822', 'date_to_string', 'date_to_xmlschema'];

/** Every filter that a template may use, by name. */
export function listFilters(): ReadonlyMap<string, Handler> {
  return new Map([
    ...PLAIN.map((name) => [name, handlerOf(name)] as const),
    ...LISTS.map((name) => [name, onList(handlerOf(name))] as const),
    ...SELECTING.map((name) => [name, onList(onPlainValue(handlerOf(name)))] as const),
    ...TEXT.map((name) => [name, onText(handlerOf(name))] as const),
    ...SEARCHING.map((name) => [name, onText(onCountedSearch(handlerOf(name)))] as const),
    ...JOINING.map((name) => [name, onMembers(handlerOf(name))] as const),
    ...ADDING.map((name) => [name, onPlainArguments(handlerOf(name))] as const),
    ...DATES.map((name) => [name, withoutNow(handlerOf(name))] as const),
    ['slice', onSliceable(handlerOf('slice'))],
  ]);
}

/** The text of an object or a list in JSON; any other value as it is. Counts towards the memory limit. */
function toText(value: unknown, context: Context): unknown {
  if (!Array.isArray(value) && !isObject(value)) return value;
  const text = JSON.stringify(value);
  context.memoryLimit.use(text.length);
  return text;
}

function onText(handler: Handler): Handler {
  return function (value, ...args) {
    return handler.call(this, toText(value, this.context), ...args.map((arg) => toText(arg, this.context)));
  };
}

function onCountedSearch(handler: Handler): Handler {
  return function (text, pattern, ...args) {
    countSearch(this.context, text, pattern);
    return handler.call(this, text, pattern, ...args);
  };
}

function onList(handler: Handler): Handler {
  return function (value, ...args) {
    countWhole(this.context, value);
    return handler.call(this, value, ...args);
  };
}

/** The library parses the property as a path, in which a range in parentheses could be without end. */
function onPlainValue(handler: Handler): Handler {
  return function (value, property, ...expected) {
    if (String(property).includes('(')) throw new SyntaxError('the property is a path like "user.name"');
    if (Array.isArray(expected[0])) throw new TypeError('compare with a text or a number, not with a list');
    return handler.call(this, value, property, ...expected);
  };
}

function onMembers(handler: Handler): Handler {
  return function (value, ...args) {
    const members = Array.isArray(value)
      ? value.map((member) => toText(member, this.context))
      : toText(value, this.context);
    return handler.call(this, members, ...args);
  };
}

function onSliceable(handler: Handler): Handler {
  return function (value, ...args) {
    return handler.call(this, Array.isArray(value) ? value : toText(value, this.context), ...args);
  };
}

/** `nil` and `empty` are objects of the library; inside a list they must be the values that they stand for. */
function onPlainArguments(handler: Handler): Handler {
  return function (value, ...args) {
    return handler.call(this, value, ...args.map((arg): unknown => toValue(arg)));
  };
}

function withoutNow(handler: Handler): Handler {
  return function (value, ...args) {
    if (value === 'now' || value === 'today') {
      throw new RangeError(`"${value}" is refused: a template knows no current time, pass the time in`);
    }
    return handler.call(this, value, ...args);
  };
}

function handlerOf(name: string): Handler {
  const filter = filters[name];
  if (filter === undefined) throw new TypeError(`the library has no filter "${name}"`);
  return typeof filter === 'function' ? (filter as Handler) : (filter.handler as Handler);
}
