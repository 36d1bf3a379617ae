/** The `code` provider in its threads, with real programs and a real server to call. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

import { CodeProvider } from '../../src/agents/providers/code/code.provider.js';
import { SandboxPool } from '../../src/agents/providers/code/sandbox-pool.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { SystemAddresses } from '../../src/platform/egress/address.source.js';
import { Egress } from '../../src/platform/egress/egress.js';
import { workerEntry } from '../../src/platform/lifecycle/worker-entry.js';
import { callProvider, failureBy, outputOf } from '../support/call-provider.js';
import { answerJson, HttpStub } from '../support/http-stub.js';
import { until } from '../support/until.js';

const entry = workerEntry(join('agents', 'providers', 'code', 'sandbox', 'code.worker.js'));
const MAX_THREADS = 2;

const stub = new HttpStub();
let egress: Egress;
let pool: SandboxPool;
let provider: CodeProvider;

beforeAll(async () => {
  await stub.start();
  egress = new Egress({ allowedHosts: ['127.0.0.2'] }, new SystemAddresses());
  pool = new SandboxPool({ entry, maxThreads: MAX_THREADS });
  provider = new CodeProvider(pool, egress);
  await provider.onModuleInit();
});

afterAll(async () => {
  await provider.onApplicationShutdown();
  expect(pool.size).toBe(0);
  await egress.onApplicationShutdown();
  await stub.stop();
});

beforeEach(() => {
  stub.reset();
});

const settingsOf = (body: string, more: JsonObject): JsonObject => ({
  source: body.includes('export') ? body : `export default async (input, tools) => { ${body} };`,
  ...more,
});
const run = (body: string, input: Json = {}, more: JsonObject = {}): Promise<Json> =>
  outputOf(provider, { settings: settingsOf(body, more), input });
const failing = (body: string, more: JsonObject = {}): ReturnType<typeof failureBy> =>
  failureBy(provider, { settings: settingsOf(body, more) });

describe('a program', () => {
  it.each<readonly [string, string, Json, Json]>([
    ['computes', 'return input.a + input.b', { a: 1, b: 2 }, 3],
    [
      'waits for promises',
      'return (await Promise.all([1, Promise.resolve(2)])).map((n) => n * 2)',
      {},
      [2, 4],
    ],
    ['returns nothing', '', {}, null],
    ['is not async', 'export default (input) => [input]', 'é💡', ['é💡']],
    [
      'is a function by name',
      'export default function main(input) { return helper(input) }\nconst helper = (n) => n + 1;',
      1,
      2,
    ],
    ['awaits at its top', 'const base = await Promise.resolve(40); export default (n) => base + n', 2, 42],
    [
      'knows the time and chance',
      'return [typeof Date.now(), Math.random() < 1, new Date(0).toISOString()]',
      {},
      ['number', true, '1970-01-01T00:00:00.000Z'],
    ],
    ['knows its stable key', 'return tools.idempotencyKey', {}, 'run_1:a:1'],
  ])('%s', async (_, body, input, expected) => {
    expect(await run(body, input)).toEqual(expected);
  });

  it('takes and gives every own key, whatever its name', async () => {
    const input = JSON.parse('{"__proto__":{"a":1},"constructor":[null],"toString":"x"}') as Json;

    expect(JSON.stringify(await run('return input', input))).toBe(JSON.stringify(input));
  });

  it('shares nothing with the next one', async () => {
    await run('globalThis.left = 1; Array.prototype.left = 1; JSON.stringify = () => "1"');

    expect(await run('return [typeof left, [].left === undefined, { a: 1 }]')).toEqual([
      'undefined',
      true,
      { a: 1 },
    ]);
  });

  it('streams its console, bounded, and a failure tells the end of it', async () => {
    const settings = settingsOf(
      'console.log("one", 2, { three: 3 }); console.error(new Error("four")); throw new TypeError("no")',
      {},
    );

    const { parts, outcome } = await callProvider(provider, { settings });

    const lines = ['one 2 {"three":3}', 'Error: four'];
    expect(parts).toEqual(lines.map((message) => ({ type: 'progress', message })));
    expect(outcome).toMatchObject({
      failure: {
        code: 'code.failed',
        message: 'TypeError: no',
        retryable: false,
        details: { console: lines, line: 1 },
      },
    });

    const flood = 'const x = "x".repeat(5000); for (let i = 0; i < 1e5; i += 1) console.log(x); return 1';
    const flooded = await callProvider(provider, { settings: settingsOf(flood, {}) });
    expect(flooded.outcome).toMatchObject({ status: 'completed', output: 1 });
    expect(JSON.stringify(flooded.parts).length).toBeLessThan(100_000);
  });

  it('says where it threw, and whether to try again', async () => {
    expect(
      await failing('\n\n  throw Object.assign(new Error("busy"), { retryable: true, retryAfterMs: 1500 });'),
    ).toMatchObject({
      code: 'code.failed',
      message: 'busy',
      retryable: true,
      retryAfterMs: 1500,
      details: { line: 3 },
    });
    expect(await failing('throw "text"')).toMatchObject({ message: 'threw text' });
    expect(await failing('throw null')).toMatchObject({ message: 'threw null' });
  });

  it.each([
    ['a cycle', 'const a = {}; a.a = a; return a', 'code.failed'],
    ['a bigint', 'return 1n', 'code.failed'],
    ['what is no JSON', 'return { toJSON() { return { deep: 1n } } }', 'code.failed'],
    ['nothing to call', 'export default 1', 'agent.not-configured'],
    ['an import', 'import fs from "node:fs"; export default () => 1', 'code.failed'],
    ['settings that are none', 'export default (', 'code.failed'],
  ])('with %s fails', async (_, body, code) => {
    expect(await failing(body)).toMatchObject({ code, retryable: false });
  });
});

describe('a bound', () => {
  it.each<readonly [string, string, string, JsonObject]>([
    ['an endless loop', 'for (;;);', 'time', {}],
    ['an endless chain of promises', 'for (;;) await null', 'time', {}],
    [
      'an endless chain of promises that are kept',
      'const f = () => Promise.resolve().then(f); await f()',
      'memory',
      { timeoutMs: 30_000 },
    ],
    ['a loop in a getter', 'return { get a() { for (;;); } }', 'time', {}],
    ['a loop that catches', 'for (;;) { try { for (;;); } catch {} finally { for (;;); } }', 'time', {}],
    ['a regular expression', 'return /^(a+)+$/.test("a".repeat(40) + "b")', 'time', {}],
    ['a slow built-in', 'const a = "a".repeat(1e6); for (;;) a.replaceAll("a", "b")', 'time', {}],
    ['a promise that never settles', 'await new Promise(() => {})', 'time', { timeoutMs: 60_000 }],
    [
      'a module that never settles',
      'await new Promise(() => {}); export default () => 1',
      'time',
      { timeoutMs: 60_000 },
    ],
    [
      'a bomb of arrays',
      'const l = []; for (;;) l.push(new Array(1e4).fill(0))',
      'memory',
      { timeoutMs: 30_000 },
    ],
    ['a bomb of strings', 'let s = "x"; for (;;) s += s', 'memory', { timeoutMs: 30_000 }],
    [
      'a bomb of buffers',
      'const l = []; for (;;) l.push(new Uint8Array(1e6))',
      'memory',
      { timeoutMs: 30_000 },
    ],
    [
      'a bomb of promises',
      'const l = []; for (;;) l.push(new Promise(() => {}))',
      'memory',
      { timeoutMs: 30_000 },
    ],
    ['a stack bomb', 'const f = () => f() + 1; return f()', 'stack', {}],
    [
      'a stack bomb of JSON',
      'let a = []; for (let i = 0; i < 1e5; i += 1) a = [a]; return a',
      'stack',
      { timeoutMs: 30_000 },
    ],
    ['an output of 100 MB', 'return "x".repeat(1e8)', 'memory', { timeoutMs: 30_000 }],
    ['an output beyond its bound', 'return "x".repeat(1e6)', 'output', { maxOutputBytes: 1_000_000 }],
    ['an output of wide letters', 'return "é".repeat(6e5)', 'output', { maxOutputBytes: 1_000_000 }],
  ])('ends %s', async (_, body, limit, more) => {
    const failure = await failing(body, { timeoutMs: 300, ...more });

    expect(failure).toMatchObject({ code: 'sandbox.limit-exceeded', retryable: false, details: { limit } });
    expect(pool.size).toBeLessThanOrEqual(MAX_THREADS);
    expect(await run('return "next"')).toBe('next');
  });

  it('leaves the exception to the program, which may end well', async () => {
    const body =
      'try { const l = []; for (;;) l.push(new Array(1e4).fill(0)) } catch (e) { return e.message }';

    expect(await run(body, {}, { timeoutMs: 30_000 })).toBe('out of memory');
  });

  it('ends with the attempt', async () => {
    const leaving = new AbortController();
    const call = callProvider(provider, {
      settings: settingsOf('for (;;);', { timeoutMs: 60_000 }),
      signal: leaving.signal,
    });
    leaving.abort();

    expect((await call).outcome).toMatchObject({ status: 'failed', failure: { code: 'sandbox.died' } });
    expect(await run('return 1')).toBe(1);
  });

  it('of threads holds: more calls wait, and all are done', async () => {
    const seen: number[] = [];
    stub.answer = (_request, response) => {
      seen.push(pool.size);
      response.end('1');
    };
    const settings = { hosts: ['127.0.0.2'], timeoutMs: 30_000 };

    const outputs = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        run(`return [${n}, (await tools.fetch("${stub.url()}")).body]`, {}, settings),
      ),
    );

    expect(outputs).toEqual(Array.from({ length: 12 }, (_, n) => [n, '1']));
    expect(seen).toHaveLength(12);
    expect(Math.max(...seen)).toBe(MAX_THREADS);
  });
});

describe('tools.fetch', () => {
  const hosts = (more: JsonObject = {}): JsonObject => ({ hosts: ['127.0.0.2', 'localhost'], ...more });

  it('calls a declared host', async () => {
    stub.answer = (request, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'x-a': 'b' });
      response.end(
        JSON.stringify({ method: request.method, body: request.body, sent: request.headers['x-sent'] }),
      );
    };
    const body = `
      const response = await tools.fetch(input.url, { method: 'POST', headers: { 'x-sent': 'yes' }, body: '{"a":1}' });
      return [response.ok, response.status, response.headers.get('X-A'), await response.json(), typeof await response.text()];`;

    expect(await run(body, { url: stub.url('/path') }, hosts())).toEqual([
      ...[true, 201, 'b', { method: 'POST', body: '{"a":1}', sent: 'yes' }, 'string'],
    ]);
  });

  it('calls several at once', async () => {
    stub.answer = ({ path }, response) => response.end(path);
    const body =
      'return (await Promise.all([1, 2, 3].map((n) => tools.fetch(input + n)))).map((r) => r.body)';

    expect(await run(body, stub.url('/'), hosts())).toEqual(['/1', '/2', '/3']);
  });

  it.each([
    ['a host that is not declared', () => stub.url('/', '127.0.0.3'), /does not declare the host/],
    ['a declared host that is private', () => stub.url('/', 'localhost'), /loopback/],
    ['a host in disguise', () => stub.url('/', '0x7f.1'), /does not declare the host 127\.0\.0\.1/],
    ['no address', () => '/path', /absolute address/],
    ['a file', () => 'file:///etc/passwd', /does not declare/],
  ])('refuses %s', async (_, url, message) => {
    const body =
      'try { await tools.fetch(input); return "reached" } catch (e) { return [e.code, e.message, e instanceof Error] }';

    expect(await run(body, url(), hosts())).toEqual([
      'agent.egress-refused',
      expect.stringMatching(message),
      true,
    ]);
    expect(stub.received).toEqual([]);
  });

  it('follows no redirect, so that no host is reached that is not declared', async () => {
    stub.answer = (_request, response) =>
      response.writeHead(302, { location: stub.url('/there', '127.0.0.1') }).end();

    expect(await run('return (await tools.fetch(input)).status', stub.url(), hosts())).toBe(302);
    expect(stub.received).toHaveLength(1);
  });

  it('that fails for a while makes the failure retryable', async () => {
    stub.answer = (_request, response, raw) => raw.socket.destroy();

    expect(await failing(`await tools.fetch("${stub.url()}")`, hosts())).toMatchObject({
      code: 'code.failed',
      retryable: true,
    });
  });

  it('counts to the time of the program', async () => {
    stub.answer = () => undefined;

    expect(await failing(`await tools.fetch("${stub.url()}")`, hosts({ timeoutMs: 100 }))).toMatchObject({
      code: expect.stringMatching(/^(sandbox\.limit-exceeded|code\.failed)$/),
    });
  });

  it('bounds how often and how much', async () => {
    stub.answer = answerJson('1');
    const often =
      'let n = 0; try { for (;;) { await tools.fetch(input); n += 1 } } catch (e) { return [n, e.message] }';
    expect(await run(often, stub.url(), hosts({ timeoutMs: 30_000 }))).toEqual([
      100,
      expect.stringMatching(/at most 100/),
    ]);

    const much =
      'try { await tools.fetch(input, { method: "POST", body: "x".repeat(5e6) }) } catch (e) { return e.message }';
    expect(await run(much, stub.url(), hosts())).toMatch(/at most 4194304/);

    stub.answer = (_request, response) => response.end('x'.repeat(5_000_000));
    const large = 'try { await tools.fetch(input) } catch (e) { return e.code }';
    expect(await run(large, stub.url(), hosts())).toBe('agent.egress-too-large');
  });
});

describe('an escape', () => {
  const FOUND = `(() => { const found = []; for (const name of ['process', 'require', 'module', 'Buffer', 'WebAssembly',
    'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'XMLHttpRequest', 'Worker', 
    'Deno', 'std', 'os', 'scriptArgs', 'print', 'load', '__dirname', 'global', 'navigator', 'performance', 'structuredClone',
    'parentPort', 'crypto']) { try { if (root[name] !== undefined) found.push(name) } catch {} } return found })()`;

  it.each([
    ['the global object', `const root = globalThis; return ${FOUND}`],
    ['Function', `const root = Function('return this')(); return ${FOUND}`],
    [
      'a constructor of a constructor',
      `const root = (() => {}).constructor('return this')(); return ${FOUND}`,
    ],
    [
      'an async constructor',
      `const root = await (async () => {}).constructor('return globalThis')(); return ${FOUND}`,
    ],
    [
      'a generator constructor',
      `const root = (function* () {}).constructor('yield globalThis')().next().value; return ${FOUND}`,
    ],
    [
      'an async generator constructor',
      `const root = (await (async function* () {}).constructor('yield globalThis')().next()).value; return ${FOUND}`,
    ],
    ['indirect eval', `const root = (0, eval)('this'); return ${FOUND}`],
    ['the constructor of a tool', `const root = tools.fetch.constructor('return this')(); return ${FOUND}`],
    [
      'the constructor of the console',
      `const root = console.log.constructor('return this')(); return ${FOUND}`,
    ],
    [
      'the constructor of a fetched promise',
      `const p = tools.fetch('x'); p.catch(() => {}); const root = p.constructor.constructor('return this')(); return ${FOUND}`,
    ],
    [
      'the constructor of an error',
      `let root; try { await tools.fetch('x') } catch (e) { root = e.constructor.constructor('return this')() } return ${FOUND}`,
    ],
    ['Reflect', `const root = Reflect.construct(Function, ['return this'])(); return ${FOUND}`],
  ])('by %s finds nothing', async (_, body) => {
    expect(await run(body)).toEqual([]);
  });

  it.each([
    ['import()', 'try { await import("node:fs"); return "in" } catch (e) { return "out" }'],
    ['import() of a file', 'try { await import("/etc/passwd"); return "in" } catch (e) { return "out" }'],
    [
      'import() within Function',
      'try { await Function("return import(\\"node:fs\\")")(); return "in" } catch (e) { return "out" }',
    ],
    [
      'what called it',
      'try { return tools.fetch.caller === null || tools.fetch.caller === undefined ? "out" : "in" } catch { return "out" }',
    ],
    [
      'arguments.callee',
      'return (function () { try { return arguments.callee.caller ? "in" : "out" } catch { return "out" } })()',
    ],
    [
      'Error.prepareStackTrace',
      'Error.prepareStackTrace = (e, frames) => frames; const s = new Error().stack; return typeof s === "string" || s === undefined || Array.isArray(s) && s.every((f) => !f.getThis?.()) ? "out" : "in"',
    ],
  ])('by %s is not possible', async (_, body) => {
    expect(await run(body)).toBe('out');
  });

  it('by its stack shows no path of the service', async () => {
    expect(await run('try { null.x } catch (e) { return e.stack }')).not.toMatch(
      /node_modules|\/work|\/src\/|dist/,
    );
    expect(await run('return tools.fetch.toString() + console.log.toString()')).not.toMatch(
      /process|require/,
    );
  });

  it.each([
    ['the prototype of objects', 'Object.prototype.polluted = 1; return 1'],
    ['__proto__ of the output', 'return JSON.parse(\'{"__proto__":{"polluted":1}}\')'],
    ['the constructor of the input', 'input.constructor.prototype.polluted = 1; return input'],
    [
      'what fetch sends',
      'await tools.fetch("http://x.test", JSON.parse(\'{"__proto__":{"polluted":1},"headers":{"__proto__":{"polluted":1}}}\')).catch(() => {}); return 1',
    ],
  ])('does not reach the service through %s', async (_, body) => {
    await run(body, {}, { hosts: ['y.test'] });

    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    ['JSON.stringify', 'JSON.stringify = () => { throw 1 }; return [1]', [1]],
    ['JSON.parse', 'JSON.parse = () => 7; return [1]', [1]],
    ['Promise.prototype.then', 'Promise.prototype.then = function () { return 7 }; return [1]', [1]],
    ['Array.prototype.map', 'Array.prototype.map = () => 7; console.log("a"); return [1]', [1]],
    ['Object.prototype.toJSON', 'Object.prototype.toJSON = () => "x"; return [1]', 'x'],
    ['String', 'globalThis.String = null; globalThis.Error = null; console.log({}, 1n); return [1]', [1]],
  ])('by changing %s harms itself at most', async (_, body, expected) => {
    expect(await run(body)).toEqual(expected);
  });
});

describe('settings', () => {
  it.each<readonly [string, JsonObject, string, RegExp]>([
    ['no source', {}, '/source', /text of a program/],
    [
      'a syntax error',
      { source: 'export default async (input) => {\n  return input +;\n}' },
      '/source',
      /SyntaxError: .* \(line 2, column \d+\)/,
    ],
    ['no default export', { source: 'const a = 1;' }, '/source', /default export/],
    ['an import', { source: 'import "fs"; export default () => 1' }, '/source', /could not load module 'fs'/],
    ['too long a time', { source: 'export default 1', timeoutMs: 60_001 }, '/timeoutMs', /60000/],
    ['too much memory', { source: 'export default 1', memoryMb: 1024 }, '/memoryMb', /256/],
    ['a network', { source: 'export default 1', hosts: ['10.0.0.0/8'] }, '/hosts/0', /Expected a host/],
    ['an unknown field', { source: 'export default 1', env: {} }, '/env', /Unknown/],
  ])('with %s are refused', (_, settings, pointer, message) => {
    expect(provider.check(settings)).toEqual([
      { pointer, code: expect.any(String), message: expect.stringMatching(message) },
    ]);
  });

  it('are checked by the engine that runs them, which outlives what it can not compile', async () => {
    const deep = `export default () => ${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(provider.check({ source: deep })).toHaveLength(1);
    await until(() => provider.check({ source: 'const a = 1;' }).length === 1, 'another engine is there');
    expect(provider.check({ source: 'export default () => 1' })).toEqual([]);
    expect(provider.check({ source: 'for (;;); export default 1' })).toEqual([]);
  });

  it('are published as JSON Schema', () => {
    expect(provider.settingsSchema()).toMatchObject({
      type: 'object',
      required: ['source'],
      properties: { timeoutMs: { default: 5000, maximum: 60_000 }, memoryMb: { default: 64 } },
    });
  });
});

describe('threads', () => {
  const job = { input: '1', idempotencyKey: 'k', memoryMb: 64, maxOutputBytes: 100 };
  const caller = { log: () => undefined, fetch: () => Promise.resolve('{}') };
  const runIn = async (own: SandboxPool, source: string, timeoutMs: number): Promise<string> =>
    (await own.run({ ...job, source, timeoutMs }, caller, new AbortController().signal)).kind;

  it('are started one ahead, also when a program has taken its own with it, and never too many', async () => {
    const own = new SandboxPool({ entry, maxThreads: 2 });

    const first = runIn(own, 'export default () => { for (;;); }', 200);
    await until(() => own.size > 0, 'a thread is there');
    const sizes = [own.size];
    expect(await first).toBe('limit');
    await until(() => own.size === 1, 'its thread is gone');
    sizes.push(own.size);
    const kinds = await Promise.all([1, 2, 3].map(() => runIn(own, 'export default () => 1', 60_000)));
    expect(kinds).toEqual(['output', 'output', 'output']);
    sizes.push(own.size);
    await own.stop();

    expect([...sizes, own.size]).toEqual([2, 1, 2, 0]);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('of programs yield to the others of the service (Linux)', async () => {
    const nices = (): readonly number[] =>
      readdirSync('/proc/self/task').map((task) => {
        const fields = readFileSync(`/proc/self/task/${task}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
        return Number(fields?.[16]);
      });
    expect(await run('return 1')).toBe(1);

    expect(Math.max(...nices())).toBe(constants.priority.PRIORITY_BELOW_NORMAL);
  });
});

it('ends its threads when nobody needs them', async () => {
  const own = new SandboxPool({ entry, maxThreads: 1 });
  const job = { input: '1', idempotencyKey: 'k', timeoutMs: 60_000, memoryMb: 64, maxOutputBytes: 100 };
  const caller = { log: () => undefined, fetch: () => Promise.resolve('{}') };
  const calls = [1, 2, 3].map(() =>
    own.run({ ...job, source: 'export default () => { for (;;); }' }, caller, new AbortController().signal),
  );
  await until(() => own.size === 1, 'a thread is there');

  await own.stop();

  expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(['died', 'died', 'died']);
  expect(own.size).toBe(0);
});
