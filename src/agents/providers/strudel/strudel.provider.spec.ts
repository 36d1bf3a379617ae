import type { Json, JsonObject } from '../../../kernel/json.js';
import type { AgentOutcome, AgentPart } from '../../agent.provider.js';
import { StrudelEvaluator } from './strudel-evaluator.js';
import { StrudelProvider } from './strudel.provider.js';

/** As on a machine without the optional packages: there is nothing to start. */
const provider = new StrudelProvider(
  new StrudelEvaluator({
    entry: '/nowhere/evaluator.worker.js',
    bundle: '/nowhere/bundle.js',
    packages: '/nowhere',
  }),
);

async function invoke(input: Json, settings: JsonObject = {}): Promise<[readonly AgentPart[], AgentOutcome]> {
  const call = provider.invoke(
    {
      agentKey: 'strudel',
      settings,
      input,
      namespace: 'default',
      idempotencyKey: 'k',
      attempt: 1,
      failures: 0,
    },
    {
      signal: new AbortController().signal,
      journal: { turns: [], record: () => Promise.resolve() },
    },
  );
  const parts: AgentPart[] = [];
  for (;;) {
    const step = await call.next();
    if (step.done === true) return [parts, step.value];
    parts.push(step.value);
  }
}

describe('StrudelProvider without the optional packages', () => {
  it('says that it is offline and how to install them', async () => {
    const health = await provider.health({});

    expect(health.status).toBe('offline');
    expect(health.reason).toContain('npm install --include=optional');
  });

  it('fails as not configured, without a part', async () => {
    expect(await invoke({ code: 's("bd")' })).toEqual([
      [],
      {
        status: 'failed',
        failure: expect.objectContaining({
          code: 'agent.not-configured',
          kind: 'unprocessable',
          retryable: false,
        }),
      },
    ]);
  });

  it('names what is wrong with the input before it looks for the evaluator', async () => {
    const [, outcome] = await invoke({ code: 1, cycles: 99 });

    expect(outcome).toMatchObject({
      failure: { code: 'agent.input-invalid', issues: [{ pointer: '/code' }, { pointer: '/cycles' }] },
    });
  });

  it('refuses settings that it does not know', async () => {
    const [, outcome] = await invoke({ code: '' }, { speed: 2 });

    expect(provider.check({ speed: 2 })).toMatchObject([{ pointer: '/speed', code: 'settings.invalid' }]);
    expect(outcome).toMatchObject({ failure: { code: 'agent.not-configured' } });
  });
});
