/** Simulating workflows over HTTP: mocks, virtual time, crashes, and what is refused. */
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { SimulationDto } from '../../src/runs/dto/simulate-workflow.dto.js';
import { exampleSimulation } from '../../src/runs/examples.js';
import { EXAMPLE_WORKFLOW } from '../../src/workflows/examples.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_EXECUTE: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

async function simulated(body: object): Promise<SimulationDto> {
  const answer = await api.post<SimulationDto>('/workflows/simulate', body);
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
  return answer.body;
}

async function refused(body: object): Promise<ProblemDocument> {
  const answer = await api.post<ProblemDocument>('/workflows/simulate', body);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  return answer.body;
}

const agent = (id: string, more: object = {}): object => ({
  id,
  agent: 'claude',
  input: { prompt: id },
  ...more,
});

/** Types of the log with the path they are of. */
function linesOf({ events }: SimulationDto): readonly string[] {
  return events.map(({ type, path, stepId }) => [type, path ?? stepId].filter(Boolean).join(' '));
}

describe('a simulated run', () => {
  it('calls nobody, waits for nothing and is kept nowhere', async () => {
    const definition = {
      steps: [agent('a'), { id: 'night', kind: 'wait', durationMs: 86_400_000, dependsOn: ['a'] }],
      output: '{{ steps.a.output.text }}',
      timeoutMs: 1_000,
    };
    const simulation = await simulated({
      definition,
      mocks: { a: { output: { text: 'hi' }, delayMs: 500 } },
    });

    expect(simulation.run).toMatchObject({ status: 'completed', output: 'hi' });
    expect(simulation.virtualMs).toBe(86_400_500);
    expect(simulation.events.map(({ seq }) => seq)).toEqual(simulation.events.map((_, index) => index + 1));
    expect((await api.get(`/runs/${simulation.run.id}`)).status).toBe(404);
  });

  it('takes the mocks of a list in turn, and the last one from then on', async () => {
    const failure = { code: 'agent.overloaded', retryable: true };
    const definition = {
      retry: { maxAttempts: 4, initialIntervalMs: 1_000, backoffCoefficient: 2, jitter: 'none' },
      steps: [agent('a'), agent('b', { dependsOn: ['a'] })],
    };
    const mocks = { a: [{ failure }, { failure }, { output: 1 }] };
    const simulation = await simulated({ definition, mocks });

    expect(linesOf(simulation).filter((line) => line.endsWith(' a'))).toEqual([
      ...['step.started a', 'step.retrying a', 'step.started a', 'step.retrying a', 'step.started a'],
      'step.completed a',
    ]);
    expect(simulation.virtualMs).toBe(3_000);
    expect(simulation.run.output).toEqual({ b: { prompt: 'b' } });
  });

  it('takes mocks by path before those by key before those by id', async () => {
    const body = { steps: [agent('make')], output: '{{ steps.make.output }}' };
    const definition = {
      steps: [
        agent('parts', { forEach: { items: "['x', 'y']" } }),
        { id: 'polish', kind: 'loop', repeat: { maxIterations: 2, body } },
        { id: 'again', kind: 'loop', repeat: { maxIterations: 1, body } },
      ],
      output: {
        parts: '{{ steps.parts.output }}',
        polish: '{{ steps.polish.output }}',
        again: '{{ steps.again.output }}',
      },
    };
    const mocks = {
      parts: { output: 'some' },
      'parts[1]': { output: 'second' },
      'polish/make': { output: 'by key' },
      make: { output: 'by id' },
    };
    expect((await simulated({ definition, mocks })).run.output).toEqual({
      parts: ['some', 'second'],
      polish: 'by key',
      again: 'by id',
    });
  });

  it('times an attempt out, and answers signals and approvals', async () => {
    const definition = {
      steps: [
        agent('slow', { timeoutMs: 100, retry: { maxAttempts: 1 }, onError: 'continue' }),
        { id: 'go', kind: 'signal', signal: 'go' },
        { id: 'ok', kind: 'approval', dependsOn: ['go'] },
      ],
      output: {
        slow: '{{ steps.slow.error.code }}',
        go: '{{ steps.go.output }}',
        by: '{{ steps.ok.output.decision }}',
      },
    };
    const mocks = {
      slow: { output: 'late', delayMs: 5_000 },
      go: { output: { from: 'outside' }, delayMs: 60_000 },
      ok: { decision: 'approve', data: { note: 'fine' }, delayMs: 3_600_000 },
    };
    const { run } = await simulated({ definition, mocks });
    expect(run).toMatchObject({
      status: 'completed',
      output: { slow: 'step.timed-out', go: { from: 'outside' }, by: 'approve' },
    });
  });

  it('stands where it waits for what never comes', async () => {
    const { run } = await simulated({ definition: { steps: [{ id: 'go', kind: 'signal', signal: 'go' }] } });
    expect(run.status).toBe('waiting');
  });

  it('is of a stored workflow, too', async () => {
    const { run } = await simulated({ workflow: { name: EXAMPLE_WORKFLOW }, input: { name: 'Ada' } });
    expect(run.workflow?.version).toBeGreaterThan(0);
  });
});

describe('with a crash after every append', () => {
  it('comes to the same, calls with the same key again, and says what', async () => {
    const simulation = await simulated({ ...exampleSimulation, crashAfter: 'every' });

    expect(simulation).toMatchObject({ sameEnd: true, differences: [], run: { status: 'completed' } });
    expect(simulation.crashes).toBeGreaterThan(2);
    expect(simulation.repeated.map(({ path }) => path)).toEqual(['greet', 'shout']);
    expect(linesOf(simulation)).toContain('step.interrupted greet');
    const without = await simulated(exampleSimulation);
    expect(without).toMatchObject({ crashes: 0, repeated: [] });
    expect(without.run.output).toEqual(simulation.run.output);
  });

  it('comes to the same for maps, loops, catches, waits and what comes last', async () => {
    const definition = {
      steps: [
        agent('map', { forEach: { items: '[1, 2, 3]', maxConcurrency: 2 } }),
        { id: 'loop', kind: 'loop', repeat: { maxIterations: 3, body: { steps: [agent('in')] } } },
        agent('bad', { catch: 'mend' }),
        agent('mend'),
        { id: 'rest', kind: 'wait', durationMs: 60_000, dependsOn: ['map', 'loop', 'mend'] },
        agent('last', { finally: true }),
      ],
    };
    const mocks = { bad: { failure: { code: 'agent.refused' } }, map: { output: 'part', delayMs: 10 } };
    const simulation = await simulated({ definition, mocks, crashAfter: 'every' });
    expect(simulation).toMatchObject({ sameEnd: true, run: { status: 'completed' } });
  });

  it('shows what comes out otherwise: time that was used up twice', async () => {
    const definition = {
      steps: [
        agent('slow', { totalTimeoutMs: 150, onError: 'continue' }),
        agent('one'),
        agent('two', { dependsOn: ['one'] }),
      ],
    };
    const mocks = Object.fromEntries(
      ['slow', 'one', 'two'].map((id) => [id, { output: id, delayMs: id === 'slow' ? 100 : 60 }]),
    );
    const { sameEnd, differences } = await simulated({ definition, mocks, crashAfter: 'every' });
    expect(sameEnd).toBe(false);
    expect(differences.map(({ of }) => of)).toContain('slow');
  });
});

describe('is refused', () => {
  it.each([
    ['neither definition nor workflow', {}, 'request.invalid'],
    ['a definition that may not run', { definition: { steps: [] } }, 'definition.invalid'],
    ['a mock that is none', { ...exampleSimulation, mocks: { greet: { out: 1 } } }, 'request.invalid'],
    ['a crash that is none', { ...exampleSimulation, crashAfter: 'once' }, 'request.invalid'],
    ['an input that does not fit', { ...exampleSimulation, input: {} }, 'input.invalid'],
    ['a workflow that is not there', { workflow: { name: 'nowhere' } }, 'workflow.not-found'],
  ])('%s', async (_, body, code) => {
    expect(await refused(body)).toMatchObject({ code });
  });

  it('what goes on for too long, with how far it came', async () => {
    const definition = {
      steps: [
        {
          id: 'long',
          kind: 'transform',
          expression: '1',
          forEach: { items: Array.from({ length: 6_000 }, () => 0) },
        },
      ],
    };
    expect(await refused({ definition })).toMatchObject({ status: 422, code: 'simulation.limit-exceeded' });
  });

  it('names the place of a mock that is none', async () => {
    const { issues } = await refused({
      ...exampleSimulation,
      mocks: { greet: [{ output: 1, delayMs: -1 }] },
    });
    expect(issues?.[0]?.pointer).toMatch(/^\/mocks\/greet/);
  });
});
