/** The registry of agents as a client sees it. */
import type { AgentDto, AgentKindsDto } from '../../src/agents/dto/agent.dto.js';
import type { AgentResultDto } from '../../src/agents/dto/execute-agent.dto.js';
import type { RunView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { refusalIn } from '../support/templates.js';

let service: RunningApp;
let api: Api;
let made = 0;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

/** A stored agent of a key of its own. */
async function anAgent(more: Readonly<Record<string, unknown>> = {}): Promise<AgentDto> {
  made += 1;
  const body = { key: `agent-${String(made)}`, kind: 'scripted', settings: { output: 1 }, ...more };
  const answer = await api.post<AgentDto>('/agents', body);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

const output = async (reference: string, body: object = {}): Promise<unknown> =>
  (await api.post<AgentResultDto>(`/agents/${reference}/execute`, body)).body.output;

describe('an agent', () => {
  it('is registered with version 1 and read by id and key', async () => {
    const given = {
      ...{ key: 'writer', kind: 'scripted', name: 'Writer', description: 'Writes', tags: ['a', 'a', 'b'] },
      capabilities: [{ name: 'write', description: 'Text', outputSchema: { type: 'object' } }],
      settings: { output: { text: 'x' } },
      limits: { maxConcurrency: 2, requestsPerMinute: 100 },
      ...{ inputSchema: { type: 'object' }, outputSchema: { required: ['text'] }, changeNote: 'first' },
    };

    const { status, headers, body } = await api.post<AgentDto>('/agents', given);

    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/v1/agents/${body.id}`);
    expect(headers.get('etag')).toBe('"1"');
    expect(body).toEqual({
      ...given,
      ...{ id: expect.stringMatching(/^agt_[0-9a-f]{32}$/) as string, version: 1, latestVersion: 1 },
      ...{ tags: ['a', 'b'], isBuiltIn: false, status: 'available', author: 'anonymous' },
      labels: [{ label: 'latest', version: 1 }],
      createdAt: expect.any(String) as string,
    });
    for (const reference of [body.id, 'writer']) {
      expect((await api.get<AgentDto>(`/agents/${reference}`)).body).toEqual(
        Object.assign({}, body, { label: 'latest' }),
      );
    }
  });

  it('gets a version with each change, and what is left out stays', async () => {
    const { id } = await anAgent({ name: 'A', outputSchema: { type: 'number' }, tags: ['t'] });

    const second = await api.put<AgentDto>(
      `/agents/${id}`,
      { settings: { output: 2 } },
      { 'If-Match': '"1"' },
    );
    const third = await api.put<AgentDto>(`/agents/${id}`, { name: '', outputSchema: {} });
    const same = await api.put<AgentDto>(`/agents/${id}`, { tags: ['t'] });

    expect(second.body).toMatchObject({ version: 2, name: 'A', settings: { output: 2 }, tags: ['t'] });
    expect(third.body).toMatchObject({ version: 3, settings: { output: 2 } });
    expect(third.body).not.toHaveProperty('name');
    expect(third.body).not.toHaveProperty('outputSchema');
    expect(same.body.version).toBe(3);
    expect(refusalIn(await api.put(`/agents/${id}`, { name: 'B' }, { 'If-Match': '"1"' }))[1]).toBe(
      'version.stale',
    );
    expect((await api.get<AgentDto>(`/agents/${id}/versions/1`)).body.settings).toEqual({ output: 1 });
    const { items } = (await api.get<{ items: { version: number }[] }>(`/agents/${id}/versions`)).body;
    expect(items.map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  it('is called as its labels say, from the next call on', async () => {
    const { id, key } = await anAgent();
    expect(await output(key)).toBe(1);
    await api.put(`/agents/${id}`, { settings: { output: 2 } });
    expect(await output(key)).toBe(2);

    await api.put(`/agents/${id}/labels/production`, { version: 1 });
    expect(await output(key)).toBe(1);
    expect(await output(key, { label: 'latest' })).toBe(2);
    expect(await output(key, { version: 2 })).toBe(2);
    await api.delete(`/agents/${id}/labels/production`);
    expect(await output(key)).toBe(2);

    expect((await api.post<AgentDto>(`/agents/${id}/rollback`, { version: 1 })).body.version).toBe(3);
    expect(await output(key)).toBe(1);
  });

  it.each<readonly [string, Readonly<Record<string, unknown>>, readonly [number, string, string?]]>([
    ['no key', { key: undefined }, [400, 'request.invalid', '/key']],
    ['a key like an id', { key: 'agt_1' }, [400, 'request.invalid', '/key']],
    ['the key that is a route', { key: 'kinds' }, [400, 'request.invalid', '/key']],
    ['a field that nobody knows', { colour: 'red' }, [400, 'request.invalid', '/colour']],
    ['a kind that nobody has', { kind: 'psychic' }, [422, 'agent.invalid', '/kind']],
    ['settings of no such kind', { settings: { delayMs: 'x' } }, [422, 'agent.invalid', '/settings/delayMs']],
    ['a broken schema', { outputSchema: { type: 'x' } }, [422, 'agent.invalid', '/outputSchema']],
    [
      'a broken schema of a capability',
      { capabilities: [{ name: 'a', inputSchema: { type: 1 } }] },
      [422, 'agent.invalid', '/capabilities/0/inputSchema'],
    ],
    [
      'a limit of nothing',
      { limits: { maxConcurrency: 0 } },
      [400, 'request.invalid', '/limits/maxConcurrency'],
    ],
    ['the key of a built-in agent', { key: 'echo' }, [409, 'agent.key-taken']],
    ['a key that is taken', { key: 'greeter' }, [409, 'agent.key-taken']],
    [
      'a hidden secret that there is not',
      { settings: { output: '[hidden]' } },
      [422, 'agent.invalid', '/settings/output'],
    ],
  ])('is refused with %s', async (_, fields, refusal) => {
    const answer = await api.post('/agents', { key: 'refused', kind: 'scripted', ...fields });

    expect(refusalIn(answer)).toEqual([...refusal, ...(refusal.length === 2 ? [undefined] : [])]);
  });

  it('is deleted with all its versions', async () => {
    const { id, key } = await anAgent();

    expect((await api.delete(`/agents/${key}`)).status).toBe(204);

    expect(refusalIn(await api.get(`/agents/${id}`))).toEqual([404, 'agent.not-found', undefined]);
    expect(refusalIn(await api.post(`/agents/${key}/execute`))[1]).toBe('agent.not-found');
  });
});

describe('agents that come with the service', () => {
  it('are listed first and stay as they are', async () => {
    const { items } = (await api.get<{ items: AgentDto[] }>('/agents?limit=200')).body;
    const builtIn = items.filter(({ isBuiltIn }) => isBuiltIn).map(({ key }) => key);

    expect(builtIn).toEqual(expect.arrayContaining(['claude', 'echo', 'scripted', 'strudel']));
    expect(items.slice(0, builtIn.length).map(({ key }) => key)).toEqual(builtIn);
    for (const answer of [
      await api.delete('/agents/echo?force=true'),
      await api.put('/agents/echo', { description: 'x' }),
      await api.put('/agents/echo/labels/x', { version: 1 }),
      await api.put('/agents/echo/status', { status: 'offline' }),
      await api.post('/agents/echo/rollback', { version: 1 }),
    ]) {
      expect(refusalIn(answer)).toEqual([409, 'agent.built-in', undefined]);
    }
  });

  it('tell their kinds with the settings of each as JSON Schema', async () => {
    const { items } = (await api.get<AgentKindsDto>('/agents/kinds')).body;
    const kinds = new Map(items.map(({ kind, ...rest }) => [kind, rest]));

    expect([...kinds.keys()]).toEqual(expect.arrayContaining(['echo', 'llm', 'scripted', 'strudel']));
    expect(kinds.get('echo')).toMatchObject({ agents: ['echo'], settingsSchema: { type: 'object' } });
    expect(kinds.get('scripted')?.settingsSchema).toMatchObject({
      properties: { delayMs: { type: 'integer' } },
    });
    expect(JSON.stringify(kinds.get('llm')?.settingsSchema)).toContain('maxOutputTokens');
  });
});

it('are told apart by their kind in the API document', async () => {
  const { components } = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    components: { schemas: Record<string, { properties: { kind: unknown; settings: object } }> };
  };

  expect(components.schemas['CreateAgentDto']).toMatchObject({
    oneOf: expect.arrayContaining([{ $ref: '#/components/schemas/CreateScriptedAgentDto' }]) as unknown,
    discriminator: {
      propertyName: 'kind',
      mapping: { scripted: '#/components/schemas/CreateScriptedAgentDto' },
    },
  });
  expect(components.schemas['CreateScriptedAgentDto']?.properties).toMatchObject({
    kind: { const: 'scripted' },
    settings: { properties: { delayMs: { type: 'integer' } } },
  });
});

describe('the list of agents', () => {
  it('goes through all of them once in pages', async () => {
    for (let n = 0; n < 3; n += 1) await anAgent();
    const all = (await api.get<{ items: AgentDto[] }>('/agents?limit=200')).body.items.map(({ key }) => key);

    const paged: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page: { items: AgentDto[]; nextCursor?: string } = (
        await api.get<{ items: AgentDto[]; nextCursor?: string }>(
          `/agents?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
        )
      ).body;
      paged.push(...page.items.map(({ key }) => key));
      cursor = page.nextCursor;
    }

    expect(paged).toEqual(all);
    expect(new Set(paged).size).toBe(paged.length);
  });

  it('filters by kind, tag, capability, text and status', async () => {
    const { key, id } = await anAgent({
      ...{ kind: 'echo', settings: {}, tags: ['wanted'], description: 'Quite Unusual' },
      capabilities: [{ name: 'sing' }],
    });
    await anAgent({ tags: ['wanted'] });
    const found = async (query: string): Promise<readonly string[]> =>
      (await api.get<{ items: AgentDto[] }>(`/agents?${query}`)).body.items.map((one) => one.key);

    expect(await found('tag=wanted&kind=echo')).toEqual([key]);
    expect(await found('capability=sing')).toEqual([key]);
    expect(await found('search=quite%20unusual')).toEqual([key]);
    expect(await found('kind=strudel')).toEqual(['strudel']);
    expect(await found('tag=wanted&status=offline')).toEqual([]);

    await api.put(`/agents/${id}/status`, { status: 'offline' });
    expect(await found('tag=wanted&status=offline')).toEqual([key]);
    expect(await found('tag=wanted&kind=echo&status=available')).toEqual([]);
  });
});

describe('a run', () => {
  const steps = (agent: unknown): object => ({ steps: [{ id: 'a', agent }], output: '{{ steps.a.output }}' });

  it('calls exactly the version that it pinned, however the agent is changed meanwhile', async () => {
    const { id, key } = await anAgent();
    const definition = {
      steps: [
        { id: 'wait', agent: 'scripted', input: { delayMs: 300 } },
        { id: 'a', agent: key, dependsOn: ['wait'] },
        { id: 'b', agent: { key, version: 1 }, dependsOn: ['wait'] },
      ],
      output: ['{{ steps.a.output }}', '{{ steps.b.output }}'],
    };
    const { id: runId, manifest } = await api.start(definition);
    await api.put(`/agents/${id}`, { settings: { output: 'changed' } });

    expect((await api.ended(runId)).output).toEqual([1, 1]);
    expect(manifest.agents).toEqual({
      scripted: { kind: 'scripted', version: 1 },
      [key]: { id, kind: 'scripted', version: 1 },
      [`${key}@1`]: { id, kind: 'scripted', version: 1 },
    });
    expect((await api.finish(steps(key))).output).toBe('changed');
    await api.put(`/agents/${id}/labels/staging`, { version: 1 });
    expect((await api.finish(steps({ key, label: 'staging' }))).output).toBe(1);
  });

  it.each<readonly [string, (key: string) => unknown, string, string]>([
    ['a key', () => 'nobody', 'agent.not-found', '/definition/steps/0/agent'],
    [
      'a version',
      (key) => ({ key, version: 2 }),
      'agent.version-not-found',
      '/definition/steps/0/agent/version',
    ],
    ['a label', (key) => ({ key, label: 'x' }), 'agent.label-not-found', '/definition/steps/0/agent/label'],
    [
      'a version of a built-in agent',
      () => ({ key: 'echo', version: 2 }),
      'agent.version-not-found',
      '/definition/steps/0/agent/version',
    ],
  ])('is refused with %s that there is not', async (_, agent, code, pointer) => {
    const { key } = await anAgent();

    const { status, body } = await api.post<{ issues: object[] }>('/runs', { definition: steps(agent(key)) });

    expect(status).toBe(422);
    expect(body.issues).toEqual([expect.objectContaining({ code, pointer })]);
  });

  it('fails at an agent that was deleted after it started', async () => {
    const { id, key } = await anAgent();
    const definition = {
      steps: [
        { id: 'wait', agent: 'scripted', input: { delayMs: 300 } },
        { id: 'a', agent: key, dependsOn: ['wait'] },
      ],
    };
    const { id: runId } = await api.start(definition);
    await api.delete(`/agents/${id}`);

    expect((await api.ended(runId)).failure).toMatchObject({ code: 'agent.not-found' });
  });
});

describe('the schemas of an agent', () => {
  it.each<readonly [string, Readonly<Record<string, unknown>>, unknown, string]>([
    ['an input', { inputSchema: { required: ['a'] } }, {}, 'agent.input-invalid'],
    ['an output', { outputSchema: { type: 'string' } }, { output: 5 }, 'agent.output-invalid'],
  ])('refuse %s, in a call and in a run', async (_, schemas, input, code) => {
    const { key } = await anAgent(schemas);

    const call = await api.post(`/agents/${key}/execute`, { input });
    const run: RunView = await api.finish({ steps: [{ id: 'a', agent: key, input }] });

    expect(refusalIn(call)[1]).toBe(code);
    expect(run).toMatchObject({ status: 'failed', failure: { code } });
  });
});

describe('a call as a stream', () => {
  const stream = async (reference: string, input: object): Promise<string> => {
    const answer = await fetch(`${service.url}/api/v1/agents/${reference}/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ input }),
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    return answer.text();
  };

  it('sends what streams out, then the result', async () => {
    expect(await stream('scripted', { deltas: ['a', 'b\n'], output: { x: 1 } })).toBe(
      [
        ': stream of a call\n\n',
        'event: delta\ndata: {"text":"a"}\n\n',
        'event: delta\ndata: {"text":"b\\n"}\n\n',
        'event: result\ndata: {"output":{"x":1},"usage":{},"costUsd":0}\n\n',
      ].join(''),
    );
  });

  it('ends with the problem of a call that failed', async () => {
    const text = await stream('scripted', { error: { code: 'a.failed', message: 'no luck' } });

    expect(text).toMatch(/\n\nevent: problem\ndata: \{.*"code":"a\.failed".*\}\n\n$/);
  });

  it('says as an ordinary problem what is wrong before it begins', async () => {
    const answer = await fetch(`${service.url}/api/v1/agents/nobody/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{}',
    });

    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
  });

  it('is given again as one answer for its key', async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'once-streamed' };
    const call = { method: 'POST', body: JSON.stringify({ input: { output: 7 } }) };
    const url = `${service.url}/api/v1/agents/scripted/execute`;
    await (await fetch(url, { ...call, headers: { ...headers, accept: 'text/event-stream' } })).text();

    const again = await fetch(url, { ...call, headers: { ...headers, accept: 'text/event-stream' } });

    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await again.json()).toEqual({ output: 7, usage: {}, costUsd: 0 });
  });
});
