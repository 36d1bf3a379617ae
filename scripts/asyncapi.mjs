/**
 * The AsyncAPI 3 document of the live events, made from the types of the contract: `SocketContract` in
 * src/events/event.contract.ts. Names, fields and comments are taken from there, so the document can not differ.
 */
import {
  AnyType,
  createFormatter,
  createParser,
  createProgram,
  SchemaGenerator,
} from 'ts-json-schema-generator';
import ts from 'typescript';

import { fromRoot } from './root.mjs';

const ROOT = 'SocketContract';

/** Types that are any JSON for a reader of events, or are described elsewhere. */
const OPAQUE = new Set(['Json', 'JsonObject', 'WorkflowDefinition']);

const SOCKET = 'socket';
const STREAM = 'stream';

/** The document; `version` is that of the product. */
export function buildAsyncApi(version) {
  const { properties, schemas } = readContract();
  const events = propertiesOf(properties.events, schemas);
  const live = propertiesOf(properties.live, schemas);
  const commands = propertiesOf(properties.commands, schemas);
  const messages = {
    ...mapOf(events, (type, data) => eventMessage(type, data)),
    ...mapOf(live, (type, payload) => liveMessage(type, payload)),
    ...mapOf(commands, (name, { properties: parts, description }) => ({
      name,
      title: name,
      ...(description && { summary: description }),
      payload: parts.payload,
    })),
    ...Object.fromEntries(
      Object.entries(commands).map(([name, { properties: parts }]) => [
        `${name}.answer`,
        { name: `${name}.answer`, title: `Acknowledgement of ${name}`, payload: answerOf(parts.result) },
      ]),
    ),
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Ensemble live events',
      version,
      description:
        'Socket.IO: every message is an event of its name with one argument, and every command is acknowledged. ' +
        'Stored events come as they are stored; a client that comes back asks for what follows the last number ' +
        'that it has. The same events come as Server-Sent Events.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    channels: {
      [SOCKET]: {
        address: '/socket.io',
        title: 'Socket.IO, default namespace',
        description: 'The API key goes into the handshake: `auth: { token }`.',
        messages: mapOf(messages, (name) => ref(`#/components/messages/${name}`)),
      },
      [STREAM]: {
        address: '/api/v1/runs/{runId}/events',
        title: 'Server-Sent Events of one run',
        description: 'With `Accept: text/event-stream`. `Last-Event-ID` goes on after that number.',
        parameters: { runId: { description: 'The id of the run.' } },
        messages: mapOf(events, (name) => ref(`#/components/messages/${name}`)),
      },
    },
    operations: {
      ...Object.fromEntries(
        Object.keys(commands).map((name) => [
          name,
          {
            action: 'receive',
            channel: ref(`#/channels/${SOCKET}`),
            messages: [ref(`#/channels/${SOCKET}/messages/${name}`)],
            reply: {
              channel: ref(`#/channels/${SOCKET}`),
              messages: [ref(`#/channels/${SOCKET}/messages/${name}.answer`)],
            },
          },
        ]),
      ),
      sendToSocket: sendOperation(SOCKET, [...Object.keys(events), ...Object.keys(live)]),
      sendToStream: sendOperation(STREAM, Object.keys(events)),
    },
    components: { messages, schemas: { ...schemas, Problem: properties.problem } },
  };
}

function readContract() {
  const config = {
    path: fromRoot('src/events/event.contract.ts'),
    tsconfig: fromRoot('tsconfig.json'),
    type: ROOT,
    skipTypeCheck: true,
    topRef: false,
    encodeRefs: false,
    additionalProperties: true,
  };
  const program = createProgram(config);
  const parser = createParser(program, config, (chain) => {
    chain.addNodeParser({
      supportsNode: (node) => ts.isTypeReferenceNode(node) && OPAQUE.has(node.typeName.text),
      createType: () => new AnyType(),
    });
  });
  const schema = new SchemaGenerator(program, parser, createFormatter(config), config).createSchema(ROOT);
  const { properties, definitions } = moved(schema);
  return { properties, schemas: definitions };
}

/** References of a JSON Schema document, as they are in an AsyncAPI document. */
function moved(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"#/components/schemas/'));
}

function propertiesOf(schema, schemas) {
  const name = schema.$ref?.split('/').at(-1);
  return (name === undefined ? schema : schemas[name]).properties;
}

function eventMessage(type, data) {
  return {
    name: type,
    title: type,
    ...(data.description && { summary: data.description }),
    payload: {
      type: 'object',
      required: ['runId', 'seq', 'type', 'at', 'data'],
      properties: {
        runId: { type: 'string' },
        seq: { type: 'integer', minimum: 1, description: 'Its number within the run, without a gap.' },
        type: { const: type },
        at: { type: 'string', format: 'date-time' },
        stepId: { type: 'string' },
        path: { type: 'string', description: 'Where it stands among items and iterations.' },
        attempt: { type: 'integer', minimum: 1 },
        data,
      },
    },
  };
}

function liveMessage(type, payload) {
  return { name: type, title: type, ...(payload.description && { summary: payload.description }), payload };
}

function answerOf(result) {
  return {
    oneOf: [
      { type: 'object', required: ['ok', 'data'], properties: { ok: { const: true }, data: result } },
      {
        type: 'object',
        required: ['ok', 'problem'],
        properties: { ok: { const: false }, problem: ref('#/components/schemas/Problem') },
      },
    ],
  };
}

function sendOperation(channel, names) {
  return {
    action: 'send',
    channel: ref(`#/channels/${channel}`),
    messages: names.map((name) => ref(`#/channels/${channel}/messages/${name}`)),
  };
}

function ref(target) {
  return { $ref: target };
}

function mapOf(record, make) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, make(key, value)]));
}
