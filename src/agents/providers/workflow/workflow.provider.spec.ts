import { AppError } from '../../../kernel/failure.js';
import type { AgentOutcome, AgentRequest } from '../../agent.provider.js';
import type { WorkflowCall } from '../../workflow.invoker.js';
import { WorkflowProvider } from './workflow.provider.js';

const DONE: AgentOutcome = { status: 'completed', output: 'done' };

interface Invoked {
  readonly calls: readonly WorkflowCall[];
  readonly outcome: Promise<unknown>;
}

/** What comes of a call when the record is away at the first try, and which runs were asked for. */
function invoke(within: Pick<AgentRequest, 'runId' | 'path'>): Invoked {
  const away = new AppError({
    code: 'store.unavailable',
    kind: 'unavailable',
    message: 'away',
    retryable: true,
  });
  const calls: WorkflowCall[] = [];
  const provider = new WorkflowProvider({
    invoke: (call) => {
      calls.push(call);
      return calls.length === 1 ? Promise.reject(away) : Promise.resolve(DONE);
    },
  });
  const request: AgentRequest = {
    ...{ agentKey: 'sub', settings: { workflow: { name: 'sub' } }, input: {}, namespace: 'default' },
    ...{ idempotencyKey: 'run_1:a:1', attempt: 1, failures: 0, ...within },
  };
  const journal = { turns: [], record: () => Promise.resolve() };
  const outcome = provider.invoke(request, { signal: new AbortController().signal, journal }).next();
  return { calls, outcome };
}

it('asks for the same run again while the record is away', async () => {
  const { calls, outcome } = invoke({ runId: 'run_1', path: 'a' });

  expect(await outcome).toEqual({ done: true, value: DONE });
  expect(calls).toHaveLength(2);
  expect(calls[1]).toEqual(calls[0]);
});

it('asks once outside of a run', async () => {
  const { calls, outcome } = invoke({});

  await expect(outcome).rejects.toMatchObject({ failure: { code: 'store.unavailable' } });
  expect(calls).toHaveLength(1);
});
