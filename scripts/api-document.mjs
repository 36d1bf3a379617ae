/**
 * What docs/api.md and docs/api-shapes.md say, made of an OpenAPI document alone: pure, so that a test can compare.
 *
 * Operations stand by tag, those of a tag in the order of the document. Every one has a command that sends its
 * example; the commands succeed in the order of the page.
 */

const BASE = 'http://127.0.0.1:3000';
const PREFIX = '/api/v1';
const SHAPES = 'api-shapes.md';
/** Headers that many operations take: explained once, at the top. */
const EXPLAINED = ['Idempotency-Key', 'If-Match', 'Prefer'];
/** Columns of a command; a value that fits stands on one line. */
const WIDTH = 100;

/** The order in which tags are read; others follow in the order of the document. */
const TAGS = [
  'Templates',
  'Agents',
  'Tasks',
  'Workflows',
  'Runs',
  'Orchestrations',
  'Approvals',
  'Schedules',
  'Webhooks',
  'Metrics',
  'Secrets',
  'Health',
  'Problems',
];

/** Codes that any operation may answer with: told once. */
const GENERAL_CODES = [
  'request.invalid',
  'request.too-large',
  'request.unsupported-media',
  'auth.required',
  'auth.forbidden',
  'rate.limited',
  'internal.error',
  'store.unavailable',
  'store.full',
  'service.unavailable',
];

/** How deep fields within fields are told, below those of the body itself. */
const MAX_DEPTH = 1;

const API_HEAD = `# REST API

Written by \`scripts/write-api.mjs\` from the OpenAPI document, which the service answers at \`/openapi.json\`, and shows,
to be tried, at \`/docs\`. Live events over Socket.IO are described at \`/asyncapi.json\` and in [events.md](events.md).

The commands run as they stand, from top to bottom, against a fresh \`npm start\`: the first start makes the examples
that they speak of, and none needs the key of a provider. Paths are below \`${PREFIX}\`, unless it says "at the root".

- **Access.** Without any API key only this machine is served. Once there is one, every request needs
  \`Authorization: Bearer <key>\`. The key decides the namespace.
- **Refusals** are [problem documents](${SHAPES}#problemdocument) with a stable code, explained in
  [errors.md](errors.md). Beside those that an operation names, any may answer
${lines(GENERAL_CODES.map(code), 4)}.
- **Rate classes.** Every operation counts to one: \`read\`, \`write\`, \`start\`, \`render\` or \`execute\`. Each has a limit
  per minute and key (\`RATE_LIMIT_READ\` and so on, see [.env.example](../.env.example)); beyond it 429 \`rate.limited\`
  with \`Retry-After\`.
- **\`Idempotency-Key\`** makes a request safe to repeat for 24 h: the same body gets the first answer again, with
  \`Idempotent-Replayed: true\`; another one is refused with 422 \`idempotency.mismatch\`.
- **\`If-Match\`** carries the version that a change is based on, as \`ETag\` gave it; another one is refused with 412.
- **\`Prefer: wait=30\`** lets a start wait for the end of its run, in seconds: 200 with the result if it ends in time, else
  202.
- **Lists** take \`limit\` (default 50, at most 200) and \`cursor\`, and answer \`{ items, nextCursor }\`.
- Times are ISO 8601 in UTC, durations integers named \`…Ms\`, money decimals named \`…Usd\`. A field marked * has to be
  given.
`;

const SHAPES_HEAD = `# Shapes of the REST API

Written by \`scripts/write-api.mjs\` from the OpenAPI document, as [api.md](api.md) is. A field marked * is always there, or
has to be.
`;

function lines(words, perLine) {
  const rows = Array.from({ length: Math.ceil(words.length / perLine) }, (_, row) =>
    words.slice(row * perLine, (row + 1) * perLine).join(', '),
  );
  return rows.map((row) => `  ${row}`).join(',\n');
}

/** The page of all operations. */
export function renderApi(document) {
  const sections = byTag(document).map(([tag, operations]) => [
    `## ${tag}\n`,
    table(
      ['Operation', ''],
      operations.map(({ title, summary }) => [`[\`${title}\`](#${anchorOf(title)})`, summary]),
    ),
    ...operations.map((operation) => renderOperation(operation, document)),
  ]);
  return [API_HEAD, contentsOf(document), ...sections.flat()].join('\n');
}

/** The page of all shapes, in the order of their names. */
export function renderShapes({ components: { schemas } }) {
  const shapes = Object.entries(schemas)
    .map(([name, schema]) => [nameOf(name), schema])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => `## ${name}\n\n${describeShape(schema, schemas)}`);
  return [SHAPES_HEAD, ...shapes].join('\n');
}

/** Every tag with its operations, in the order of the page. */
function byTag(document) {
  const operations = operationsOf(document);
  const tags = new Set([...TAGS, ...operations.map(({ tags }) => tags[0])]);
  return [...tags]
    .map((tag) => [tag, operations.filter(({ tags }) => tags[0] === tag)])
    .filter(([, operations]) => operations.length > 0);
}

function operationsOf({ paths }) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
      title: `${method.toUpperCase()} ${path.replace(PREFIX, '')}`,
    })),
  );
}

function contentsOf(document) {
  return `${byTag(document)
    .map(([tag]) => `[${tag}](#${anchorOf(tag)})`)
    .join(' ·\n')}\n`;
}

function renderOperation(operation, document) {
  const { title, summary, description, path, requestBody } = operation;
  const rateClass = operation['x-rate-class'];
  const facts = [
    ...(path.startsWith(PREFIX) ? [] : ['At the root.']),
    `Rate class: ${rateClass ? `\`${rateClass}\`` : 'none'}.`,
    answersOf(operation),
  ];
  return [
    `### ${title}\n`,
    `${sentence(summary)}${description ? ` ${sentence(cell(description))}` : ''}\n`,
    `${facts.join(' ')}\n`,
    ...parametersOf(operation),
    ...(requestBody === undefined ? [] : [bodyOf(requestBody, document.components.schemas)]),
    `\`\`\`bash\n${commandsOf(operation, document)}\n\`\`\`\n`,
  ].join('\n');
}

function parametersOf({ parameters = [] }) {
  const names = parameters.map(({ name }) => name).filter((name) => EXPLAINED.includes(name));
  const own = parameters.filter(({ name }) => !EXPLAINED.includes(name));
  const rows = own.map((parameter) => [
    `\`${parameter.name}\`${parameter.required ? ' *' : ''}`,
    parameter.in,
    typeOf(parameter.schema ?? {}),
    parameter.description ?? parameter.schema?.description ?? '',
  ]);
  return [
    ...(names.length === 0 ? [] : [`Takes ${names.map(code).join(', ')}.\n`]),
    ...(rows.length === 0 ? [] : [table(['Parameter', 'In', 'Type', ''], rows)]),
  ];
}

function bodyOf({ content }, schemas) {
  const { schema } = content['application/json'];
  const others = Object.keys(content).filter((type) => type !== 'application/json');
  const also = others.length === 0 ? '' : ` (or ${others.map(code).join(', ')})`;
  const rows = fieldsOf(schema, schemas);
  if (rows.length === 0)
    return `Body${also}: ${sentence(schema.description ?? choicesOf(schema, schemas))}\n`;
  return `${also === '' ? '' : `Body${also}:\n\n`}${table(['Body', 'Type', ''], rows)}`;
}

/** What a body is that has no fields of its own: one of several shapes, or anything. */
function choicesOf({ $ref = '' }, schemas) {
  const named = schemas[$ref.split('/').at(-1)];
  return named?.oneOf === undefined ? 'any JSON object' : typeOf(named);
}

/** What an operation answers, by status. */
function answersOf({ responses }) {
  const entries = Object.entries(responses);
  const good = entries
    .filter(([status]) => status < '400')
    .map(([status, answer]) => goodAnswer(status, answer));
  const refusals = entries
    .filter(([status]) => status >= '400')
    .flatMap(([status, answer]) => refusal(status, answer));
  return `Answers ${good.join('; ')}.${refusals.length === 0 ? '' : ` Refused with ${refusals.join('; ')}.`}`;
}

function goodAnswer(status, { description, content = {} }) {
  const [schema] = Object.values(content).map((one) => one.schema);
  const types = Object.keys(content).filter((type) => type !== 'application/json');
  const page = schema?.properties?.items?.items;
  const shape = page === undefined ? schema && typeOf(schema) : `a page of ${typeOf(page)}`;
  const also = content['application/json'] === undefined ? 'as' : 'also as';
  const what = [shape, types.length > 0 && `${also} ${types.map(code).join(', ')}`]
    .filter(Boolean)
    .join(', ');
  const text = [what, cell(description ?? '')].filter(Boolean).join(': ').replace(/\.$/, '');
  return text === '' ? `**${status}**` : `**${status}** ${text}`;
}

function refusal(status, { description }) {
  const codes = [...new Set(description.match(/`[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*`/g) ?? [])];
  if (codes.length === 0) return [`**${status}** ${cell(description)}`];
  const own = codes.filter((one) => !GENERAL_CODES.includes(one.replaceAll('`', '')));
  return own.length === 0 ? [] : [`**${status}** ${own.join(', ')}`];
}

/** The command that sends the example of an operation, for a POSIX shell; before it what that example is made of. */
function commandsOf(operation, document) {
  const [name, maker, field] = makerOf(operation, document);
  if (maker === undefined) return commandOf(operation);
  const parameters = operation.parameters.map((one) =>
    one.name === name ? { ...one, example: `$${name}` } : one,
  );
  const made = `$(${commandOf(maker)} | sed 's/.*"${field}":"\\([^"]*\\)".*/\\1/')`;
  return `${name}=${made}\n${commandOf({ ...operation, parameters })}`;
}

/** Which parameter another operation's answer gives by an OpenAPI link, that operation, and the field of its answer. */
function makerOf({ operationId }, document) {
  for (const maker of operationsOf(document)) {
    const links = Object.values(maker.responses).flatMap((answer) => Object.values(answer.links ?? {}));
    const link = links.find((one) => one.operationId === operationId);
    const [name, from] = Object.entries(link?.parameters ?? {})[0] ?? [];
    if (name !== undefined) return [name, maker, from.replace('$response.body#/', '')];
  }
  return [];
}

function commandOf({ method, path, parameters = [], requestBody }) {
  const given = (place) =>
    parameters
      .filter((one) => one.in === place && valueOf(one) !== undefined)
      .map((one) => [one.name, String(valueOf(one))]);
  const address = given('path').reduce(
    (text, [name, value]) =>
      text.replace(`{${name}}`, value.startsWith('$') ? value : encodeURIComponent(value)),
    BASE + path,
  );
  const query = given('query')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  const body = requestBody?.content['application/json'];
  const lines = [
    `curl -s${method === 'GET' ? '' : ` -X ${method}`} ${quoted(query === '' ? address : `${address}?${query}`)}`,
    ...given('header').map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined
      ? []
      : [`-H 'content-type: application/json'`, `-d ${quoted(jsonText(body.example))}`]),
  ];
  return lines.join(' \\\n  ');
}

/** JSON over as many lines as it needs. */
function jsonText(value, indent = '') {
  const flat = flatText(value);
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= WIDTH) return flat;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const lines = Object.entries(value).map(([key, one]) => {
    const text = jsonText(one, deeper);
    return deeper + (Array.isArray(value) ? text : `${JSON.stringify(key)}: ${text}`);
  });
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

function flatText(value) {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flatText).join(', ')}]`;
  const fields = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${flatText(one)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function quoted(text) {
  return /^[\w:/.$-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function valueOf({ example, schema }) {
  return example ?? schema?.example ?? schema?.default;
}

function describeShape(schema, schemas) {
  const about = schema.description === undefined ? '' : `${sentence(cell(schema.description))}\n\n`;
  const rows = fieldsOf(schema, schemas);
  return about + (rows.length === 0 ? `${typeOf(schema)}\n` : table(['Field', 'Type', ''], rows));
}

/** Rows for the fields of an object, and for those of objects without a name in it. */
function fieldsOf(schema, schemas, prefix = '', depth = 0) {
  const { properties = {}, required = [] } = merged(schema, schemas);
  return Object.entries(properties).flatMap(([name, field]) => {
    const within =
      field.$ref === undefined && depth < MAX_DEPTH
        ? fieldsOf(field, {}, `${prefix}${name}.`, depth + 1)
        : [];
    const row = [
      `\`${prefix}${name}\`${required.includes(name) ? ' *' : ''}`,
      typeOf(field),
      [field.description, bounds(field)].filter(Boolean).map(sentence).join(' '),
    ];
    return [row, ...within];
  });
}

/** An object with the fields of everything that it is made of. */
function merged(schema, schemas) {
  if (schema.$ref !== undefined) return merged(schemas[schema.$ref.split('/').at(-1)] ?? {}, schemas);
  const parts = (schema.allOf ?? []).map((part) => merged(part, schemas));
  const properties = {};
  for (const part of [...parts, schema]) Object.assign(properties, part.properties);
  return { properties, required: [...parts, schema].flatMap(({ required = [] }) => required) };
}

function typeOf(schema) {
  const { $ref, allOf, anyOf, oneOf, type, items, format, additionalProperties } = schema;
  if ($ref !== undefined) return linkTo($ref.split('/').at(-1));
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (allOf?.length === 1) return typeOf(allOf[0]);
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  if (Array.isArray(type)) return type.join(' or ');
  if (type === 'array') return `list of ${items === undefined ? 'any' : typeOf(items)}`;
  if (typeof additionalProperties === 'object' && additionalProperties.type !== undefined)
    return `map to ${typeOf(additionalProperties)}`;
  return format === 'date-time' ? 'instant' : (type ?? 'any');
}

function bounds({ minimum, maximum, maxLength, maxItems, default: standard }) {
  const hasRange = minimum !== undefined || maximum !== undefined;
  return [
    hasRange && (maximum === undefined ? `at least ${minimum}` : `${minimum ?? '…'} to ${maximum}`),
    maxLength !== undefined && `at most ${maxLength} characters`,
    maxItems !== undefined && `at most ${maxItems}`,
    standard !== undefined && `default \`${JSON.stringify(standard)}\``,
  ]
    .filter(Boolean)
    .join('; ')
    .replace(/^a/, 'A')
    .replace(/^d/, 'D');
}

function linkTo(name) {
  return `[${nameOf(name)}](${SHAPES}#${nameOf(name).toLowerCase()})`;
}

function nameOf(name) {
  return name.replace(/Dto$/, '');
}

/** Where a heading is found, as GitHub and the test of our links make it. */
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((text) => cell(text)).join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}

/** One line, and nothing that ends a cell of a table. */
function cell(text) {
  return text.replace(/\s*\n\s*/g, ' ').replace(/(?<!\\)\|/g, '\\|');
}

function sentence(text = '') {
  return text === '' || /[.!?:]$/.test(text) ? text : `${text}.`;
}

function code(text) {
  return `\`${text}\``;
}
