import type { AgentOutcome, SettledOutcome, AgentPart } from '../../src/agents/agent.provider.js';
import {
  ToolApprovalGate,
  type ToolDecision,
  type ToolRequest,
} from '../../src/agents/tool-approval.gate.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { failureIn, KeptJournal, LlmScene, PROTOCOLS, textOf } from '../support/llm-scene.js';
import { dropped, failing, message, status, type StubAnswer } from '../support/llm-stub.js';
import { McpStub } from '../support/mcp-stub.js';
import { until } from '../support/until.js';

const NEVER = new Promise<never>(() => undefined);
const RENDER: JsonObject = {
  type: 'agent',
  agent: 'strudel',
  name: 'render',
  inputSchema: { type: 'object', properties: { cycles: { type: 'number' } }, required: ['cycles'] },
};

let scene: LlmScene;

afterEach(async () => {
  await scene.stop();
});

/** An answer that asks for one tool. */
function asks(name: string, input: JsonObject = { cycles: 4 }, id = 'call_1'): StubAnswer {
  return message({ deltas: ['Let me see'], toolUse: [{ id, name, input }] });
}

const completed = (output: Json): SettledOutcome => ({ status: 'completed', output });

describe.each(PROTOCOLS)('LlmProvider over %s', (protocol) => {
  beforeEach(async () => {
    scene = await LlmScene.start(protocol);
  });

  describe('with tools', () => {
    const settings = { tools: [RENDER] };

    it('shows them to the model with description and schema', async () => {
      scene.agents.set('strudel', () => completed(1));
      scene.stub.queue(message());

      await scene.invoke({ settings });

      const { tools } = scene.sent();
      expect(tools).toEqual([
        protocol === 'anthropic'
          ? expect.objectContaining({
              name: 'render',
              description: 'The agent strudel',
              input_schema: RENDER['inputSchema'],
            })
          : {
              type: 'function',
              function: expect.objectContaining({ name: 'render', parameters: RENDER['inputSchema'] }),
            },
      ]);
    });

    it('calls what the model asks for and gives it the outcome', async () => {
      scene.agents.set('strudel', () => ({
        ...completed({ valid: true }),
        usage: { inputTokens: 3 },
        costMicros: 7,
      }));
      scene.stub.queue(asks('render'), message({ deltas: ['It is valid'] }));

      const { outcome, turns, parts } = await scene.invoke({ settings });

      expect(outcome).toEqual({ status: 'completed', output: { text: 'It is valid', finishReason: 'stop' } });
      expect(textOf(parts)).toBe('Let me seeIt is valid');
      expect(scene.agents.calls).toMatchObject([
        { agentKey: 'strudel', input: { cycles: 4 }, idempotencyKey: 'run_1:brief:1#tool-1.1', depth: 1 },
      ]);
      expect(turns).toMatchObject([
        { turn: 1, body: { type: 'llm.answer', toolCalls: [{ name: 'render' }] }, costMicros: 105 },
        {
          turn: 2,
          tool: { name: 'render', callId: 'call_1', input: { cycles: 4 }, output: { valid: true } },
          usage: { inputTokens: 3 },
          costMicros: 7,
        },
        { turn: 3, body: { text: 'It is valid' }, costMicros: 105 },
      ]);
      expect(JSON.stringify(scene.sent(2))).toContain('\\"valid\\":true');
      expect(JSON.stringify(scene.sent(2))).toContain('call_1');
    });

    it('calls the tools of one answer side by side, and tells their outcomes in order', async () => {
      const first = Promise.withResolvers<SettledOutcome>();
      scene.agents.set('strudel', ({ input }) => {
        if ((input as JsonObject)['cycles'] === 1) return first.promise;
        setImmediate(() => first.resolve(completed('one'))); // after the second is recorded
        return completed('two');
      });
      const toolUse = [1, 2].map((cycles) => ({
        id: `call_${String(cycles)}`,
        name: 'render',
        input: { cycles },
      }));
      scene.stub.queue(message({ toolUse }), message());

      const { turns } = await scene.invoke({ settings });

      expect(turns.map(({ tool }) => tool?.output)).toEqual([undefined, 'two', 'one', undefined]);
      const sent = JSON.stringify(scene.sent(2));
      expect(sent.indexOf('one')).toBeLessThan(sent.indexOf('two'));
    });

    it.each<[string, StubAnswer, string]>([
      ['a tool that is not listed', asks('delete_everything'), 'there is no tool'],
      ['a name of the prototype', asks('constructor'), 'there is no tool'],
      ['an input against its schema', asks('render', { cycles: 'four' }), '/cycles must be number'],
    ])('answers a call of %s with an error, and calls nobody', async (_what, answer, told) => {
      scene.agents.set('strudel', () => completed(1));
      scene.stub.queue(answer, message());

      const { outcome, turns } = await scene.invoke({ settings });

      expect(outcome.status).toBe('completed');
      expect(scene.agents.calls).toEqual([]);
      expect(turns[1]?.tool).toMatchObject({
        isError: true,
        output: { error: expect.stringContaining(told) },
      });
      expect(JSON.stringify(scene.sent(2))).toContain(told);
    });

    it('hands an input with hostile keys on as it is', async () => {
      scene.agents.set('strudel', ({ input }) => completed(input));
      const input = JSON.parse('{"cycles":1,"__proto__":{"a":1},"constructor":2}') as JsonObject;
      scene.stub.queue(asks('render', input), message());

      await scene.invoke({ settings });

      expect(JSON.stringify(scene.agents.calls[0]?.input)).toBe(JSON.stringify(input));
    });

    it('tells the model what an agent failed with', async () => {
      scene.agents.set('strudel', () => ({
        status: 'failed',
        failure: { code: 'agent.offline', kind: 'unavailable', message: 'out for lunch', retryable: true },
        costMicros: 2,
      }));
      scene.stub.queue(asks('render'), message());

      const { turns } = await scene.invoke({ settings });

      expect(turns[1]).toMatchObject({
        tool: { isError: true, output: { error: 'out for lunch', code: 'agent.offline', retryable: true } },
        costMicros: 2,
      });
    });

    it('refuses an outcome that is too large to be read', async () => {
      scene.agents.set('strudel', () => completed('x'.repeat(200_000)));
      scene.stub.queue(asks('render'), message());

      const { turns } = await scene.invoke({ settings });

      expect(turns[1]?.tool).toMatchObject({
        isError: true,
        output: { error: expect.stringContaining('200002 characters') },
      });
    });

    it('calls 32 tools of one answer and no more', async () => {
      scene.agents.set('strudel', () => completed(1));
      const toolUse = Array.from({ length: 34 }, (_, n) => ({
        id: `c${String(n)}`,
        name: 'render',
        input: { cycles: n },
      }));
      scene.stub.queue(message({ toolUse }), message());

      const { turns } = await scene.invoke({ settings });

      expect(scene.agents.calls).toHaveLength(32);
      expect(turns.filter(({ tool }) => tool?.isError === true)).toHaveLength(2);
      expect(turns).toHaveLength(36);
    });

    it('fails when the turns are used up, without calling the last tools', async () => {
      scene.agents.set('strudel', () => completed(1));
      scene.stub.queue(asks('render'), asks('render'), asks('render'));

      const { outcome } = await scene.invoke({ settings: { ...settings, maxTurns: 3 } });

      expect(failureIn(outcome)).toMatchObject({
        code: 'agent.turns-exhausted',
        retryable: false,
        details: { maxTurns: 3 },
      });
      expect(scene.stub.calls).toBe(3);
      expect(scene.agents.calls).toHaveLength(2);
    });

    it('allows ten turns where nothing else is set', async () => {
      scene.agents.set('strudel', () => completed(1));
      scene.stub.queue(...Array.from({ length: 12 }, () => asks('render')));

      expect(failureIn((await scene.invoke({ settings })).outcome).code).toBe('agent.turns-exhausted');
      expect(scene.stub.calls).toBe(10);
    });

    it('goes on after each recorded turn as if nothing had happened', async () => {
      scene.agents.set('strudel', () => completed('fine'));
      const answers = [
        asks('render', { cycles: 1 }),
        asks('render', { cycles: 2 }),
        message({ deltas: ['Done'] }),
      ];
      scene.stub.queue(...answers);
      const whole = await scene.invoke({ settings });
      const sent = [1, 2, 3].map((call) => scene.sent(call));

      for (let kept = 1; kept < whole.turns.length; kept += 1) {
        const before = scene.stub.calls;
        const asked = Math.ceil(kept / 2);
        scene.stub.queue(...answers.slice(asked));
        const resumed = await scene.invoke({ settings, turns: whole.turns.slice(0, kept) });

        expect(resumed.outcome).toEqual(whole.outcome);
        expect(resumed.turns).toEqual(whole.turns);
        const again = scene.stub.requests.slice(before).map(({ body }) => body);
        expect(again).toEqual(sent.slice(asked));
      }
      expect(scene.agents.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
        'run_1:brief:1#tool-1.1',
        'run_1:brief:1#tool-3.1',
        'run_1:brief:1#tool-1.1', // after turn 1 was recorded, its tool was not
        'run_1:brief:1#tool-3.1',
        'run_1:brief:1#tool-3.1',
        'run_1:brief:1#tool-3.1',
      ]);
    });

    it('repairs the answer that follows on tools', async () => {
      scene.agents.set('strudel', () => completed(1));
      scene.stub.queue(asks('render'), message({ deltas: ['?'] }), message({ deltas: ['{"n":1}'] }));
      const objectSchema = { type: 'object', required: ['n'] };

      const { outcome } = await scene.invoke({ settings: { ...settings, objectSchema } });

      expect(outcome).toMatchObject({ output: { object: { n: 1 } } });
    });

    it('passes an abort on to the tool, and records nothing of it', async () => {
      const signals: AbortSignal[] = [];
      scene.agents.set('strudel', ({ signal }) => {
        signals.push(signal);
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve(completed('too late')), { once: true }),
        );
      });
      scene.stub.queue(asks('render'));
      const abort = new AbortController();
      const journal = new KeptJournal();
      const stream = (await scene.provider()).invoke(scene.request(undefined, settings), {
        signal: abort.signal,
        journal,
      });
      const outcome = (async (): Promise<AgentOutcome> => {
        for (;;) {
          const next: IteratorResult<AgentPart, AgentOutcome> = await stream.next();
          if (next.done === true) return next.value;
        }
      })();
      await until(() => signals.length === 1, 'the tool is called');

      abort.abort(new Error('cancelled'));

      expect((await outcome).status).toBe('failed');
      expect(journal.turns).toHaveLength(1);
      expect(scene.stub.calls).toBe(1);
    });

    it('keeps the id that a call was given twice apart', async () => {
      scene.agents.set('strudel', ({ input }) => completed(input));
      const toolUse = [1, 2].map((cycles) => ({ id: 'same', name: 'render', input: { cycles } }));
      scene.stub.queue(message({ toolUse }), message());

      const { turns } = await scene.invoke({ settings });

      expect(turns.slice(1, 3).map(({ tool }) => tool?.input)).toEqual([{ cycles: 1 }, { cycles: 2 }]);
      expect(new Set(turns.slice(1, 3).map(({ tool }) => tool?.callId)).size).toBe(2);
    });
  });

  describe('with tools that can not be used', () => {
    it.each<[string, Json, string]>([
      ['an agent that there is none of', [{ type: 'agent', agent: 'gone' }], 'there is no agent "gone"'],
      ['an agent of another kind', [{ type: 'http', agent: 'strudel' }], 'is of kind echo, not http'],
      ['two of one name', [RENDER, RENDER], 'two tools have the name "render"'],
    ])('fails with %s', async (_what, tools, told) => {
      scene.agents.set('strudel', () => completed(1));

      const failure = failureIn((await scene.invoke({ settings: { tools } })).outcome);

      expect(failure.code).toBe('agent.not-configured');
      expect(failure.message).toContain(told);
      expect(scene.stub.calls).toBe(0);
    });

    it('finds a schema that can not be compiled when the settings are checked', async () => {
      const provider = await scene.provider();
      const inputSchema = { type: 'nonsense' };

      expect(
        provider.check({ ...scene.settings, objectSchema: inputSchema, tools: [{ ...RENDER, inputSchema }] }),
      ).toMatchObject([
        { pointer: '/objectSchema', code: 'schema.invalid' },
        { pointer: '/tools/0/inputSchema', code: 'schema.invalid' },
      ]);
    });
  });

  describe('with a tool that requires approval', () => {
    const settings = {
      tools: [
        { ...RENDER, requiresApproval: true },
        { type: 'agent', agent: 'free' },
      ],
    };

    class Answering extends ToolApprovalGate {
      readonly requests: ToolRequest[] = [];

      constructor(private readonly decision: ToolDecision) {
        super();
      }

      override decide(request: ToolRequest): Promise<ToolDecision> {
        this.requests.push(request);
        return Promise.resolve(this.decision);
      }
    }

    beforeEach(() => {
      scene.agents.set('strudel', () => completed('rendered'));
      scene.agents.set('free', () => completed('free'));
    });

    it('calls neither it nor its neighbours when nobody can be asked', async () => {
      const toolUse = [
        { id: 'a', name: 'free', input: {} },
        { id: 'b', name: 'render', input: { cycles: 1 } },
      ];
      scene.stub.queue(message({ toolUse }));

      const { outcome } = await scene.invoke({ settings });

      expect(failureIn(outcome)).toMatchObject({
        code: 'tool.approval-required',
        details: { tool: 'render' },
      });
      expect(scene.agents.calls).toEqual([]);
    });

    it('calls it once it is approved', async () => {
      const gate = new Answering({ kind: 'approved' });
      scene.approvals = gate;
      scene.stub.queue(asks('render'), message());

      expect((await scene.invoke({ settings })).outcome.status).toBe('completed');
      expect(gate.requests).toEqual([
        {
          namespace: 'default',
          agentKey: 'claude',
          tool: 'render',
          input: { cycles: 4 },
          idempotencyKey: 'run_1:brief:1#tool-1.1',
        },
      ]);
      expect(scene.agents.calls).toHaveLength(1);
    });

    it('tells the model that it was declined', async () => {
      scene.approvals = new Answering({ kind: 'declined', reason: 'not today' });
      scene.stub.queue(asks('render'), message());

      const { turns } = await scene.invoke({ settings });

      expect(turns[1]?.tool).toMatchObject({
        isError: true,
        output: { error: 'the call was declined: not today' },
      });
      expect(scene.agents.calls).toEqual([]);
    });
  });

  describe('with tools of an MCP server', () => {
    let server: McpStub;

    beforeEach(async () => {
      server = await McpStub.start();
    });

    afterEach(async () => {
      await server.stop();
    });

    it('shows and calls those that are allowed, and no other', async () => {
      scene.secrets.set('mcp-token', 'canary-mcp');
      const tools = [
        {
          type: 'mcp',
          server: { url: server.url, auth: { type: 'bearer', secret: 'mcp-token' } },
          allow: ['add'],
        },
      ];
      scene.stub.queue(asks('add', { a: 1, b: 2 }), asks('fail', {}, 'call_2'), message({ deltas: ['3'] }));

      const { outcome, turns } = await scene.invoke({ settings: { tools } });

      expect(outcome).toMatchObject({ output: { text: '3' } });
      expect(scene.sent()['tools']).toHaveLength(1);
      expect(turns.map(({ tool }) => tool?.output).filter((output) => output !== undefined)).toEqual([
        { text: '3', structured: { sum: 3 } },
        { error: expect.stringContaining('there is no tool "fail"') },
      ]);
      expect(server.calls).toEqual([{ tool: 'add', input: { a: 1, b: 2 } }]);
      expect(server.headers[0]?.authorization).toBe('Bearer canary-mcp');
      expect(JSON.stringify([outcome, turns])).not.toContain('canary-mcp');
    });

    it.each<[string, JsonObject, string]>([
      ['lacks the tool', {}, 'agent.not-configured'],
      ['may not be called', { url: 'http://127.0.0.2:8080/mcp' }, 'agent.egress-refused'],
    ])('fails where the server %s', async (_what, more, code) => {
      const tools = [{ type: 'mcp', server: { url: server.url, ...more }, allow: ['subtract'] }];

      expect(failureIn((await scene.invoke({ settings: { tools } })).outcome).code).toBe(code);
      expect(scene.stub.calls).toBe(0);
    });
  });

  describe('with models to fall back on', () => {
    const settings = { model: 'claude-sonnet-4-5', fallbackModels: ['claude-haiku-4-5', 'claude-opus-5'] };
    const overloaded = status(529, { type: 'overloaded_error', message: 'Overloaded' });
    const models = (): readonly Json[] =>
      scene.stub.requests.map(({ body }) => (body as JsonObject)['model'] ?? null);

    it.each<[string, StubAnswer]>([
      ['is overloaded', overloaded],
      ['is rate limited', status(429, { type: 'rate_limit_error', message: 'Slow' }, { 'retry-after': '9' })],
      ['is not available', status(503, 'Service Unavailable')],
      ['cuts the connection', dropped(0)],
      ['fails before its first word', failing(0, { type: 'api_error', message: 'Sorry' })],
    ])('asks the next one when the first %s, and says which one answered', async (_what, answer) => {
      scene.stub.queue(answer, message());

      const { outcome, turns } = await scene.invoke({ settings });

      expect(outcome.status).toBe('completed');
      expect(models()).toEqual(['claude-sonnet-4-5', 'claude-haiku-4-5']);
      expect(turns).toMatchObject([
        { body: { model: 'claude-haiku-4-5', requestedModel: 'claude-haiku-4-5' } },
      ]);
      expect(scene.stub.request(2).headers['idempotency-key']).toBe('run_1:brief:1@claude-haiku-4-5');
    });

    it('fails with the last when none of them answers', async () => {
      scene.stub.queue(overloaded, overloaded, status(503, 'Busy', { 'retry-after': '7' }));

      const { outcome } = await scene.invoke({ settings });

      expect(failureIn(outcome)).toMatchObject({
        code: 'agent.unavailable',
        retryable: true,
        retryAfterMs: 7_000,
        details: { models: ['claude-sonnet-4-5', 'claude-haiku-4-5', 'claude-opus-5'] },
      });
    });

    it.each<[string, StubAnswer, string]>([
      [
        'a key that is not accepted',
        status(401, { type: 'authentication_error', message: 'No' }),
        'agent.unauthorized',
      ],
      [
        'a request that is refused',
        status(400, { type: 'invalid_request_error', message: 'No' }),
        'agent.request-refused',
      ],
      ['an answer that has begun', dropped(1), 'agent.answer-broken'],
    ])('asks no other after %s', async (_what, answer, code) => {
      scene.stub.queue(answer, message());

      expect(failureIn((await scene.invoke({ settings })).outcome).code).toBe(code);
      expect(scene.stub.calls).toBe(1);
    });

    it('asks nobody else once it is aborted', async () => {
      scene.stub.queue(async () => NEVER);
      const abort = new AbortController();
      const stream = (await scene.provider()).invoke(scene.request(undefined, settings), {
        signal: abort.signal,
        journal: new KeptJournal(),
      });
      const outcome = stream.next();
      await scene.stub.received(1);

      abort.abort(new Error('cancelled'));

      expect(await outcome).toMatchObject({ done: true, value: { status: 'failed' } });
      expect(scene.stub.calls).toBe(1);
    });
  });
});
