import { isoOf } from '../../kernel/time.js';
import type { RunEvent } from '../../runs/domain/run.events.js';
import { otlpOf } from './otlp.js';
import { spansOf } from './trace.js';

const AT = 1_700_000_000_000;
const RUN = 'run_0190a1b2c3d47e8f9012345678abcdef';

/** Events one second apart. */
function log(
  ...events: readonly (readonly [type: string, data: object, stepId?: string])[]
): readonly RunEvent[] {
  return events.map(([type, data, stepId], index) => ({
    ...{ runId: RUN, seq: index + 1, type, at: isoOf(AT + index * 1_000), data },
    ...(stepId !== undefined && { stepId, attempt: 1 }),
  })) as unknown as readonly RunEvent[];
}

const queued = [
  'run.queued',
  {
    definition: { name: 'n', steps: [{ id: 'ask', agent: { key: 'claude' } }] },
    manifest: { agents: {} },
    options: { tags: [] },
  },
] as const;
const turn = (outputTokens: number) =>
  [
    'turn.completed',
    {
      body: { model: 'm-2', requestedModel: 'm', finishReason: 'stop', text: 'secret' },
      usage: { inputTokens: 5, outputTokens },
    },
    'ask',
  ] as const;

describe('spansOf', () => {
  it('shows each model call from the end of the one before, by the GenAI conventions', () => {
    const spans = spansOf(
      'ns',
      log(
        queued,
        ['run.started', {}],
        ['step.started', {}, 'ask'],
        turn(1),
        turn(2),
        ['step.completed', {}, 'ask'],
        ['run.completed', {}],
      ),
    );
    const calls = spans.filter(({ name }) => name === 'chat m-2');

    expect(calls.map(({ startMs, endMs }) => [(startMs - AT) / 1_000, (endMs - AT) / 1_000])).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(calls[1]?.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'm',
      'gen_ai.response.model': 'm-2',
      'gen_ai.usage.input_tokens': 5,
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.response.finish_reasons': ['stop'],
    });
    const attempt = spans.find(({ name }) => name === 'invoke_agent claude');
    expect(calls.map(({ parentId }) => parentId)).toEqual([attempt?.spanId, attempt?.spanId]);
    expect(JSON.stringify(spans)).not.toContain('secret');
  });

  it('ends with the run what was open, and says what failed', () => {
    const failure = { code: 'run.timed-out', message: 'too long' };
    const spans = spansOf(
      'ns',
      log(queued, ['step.started', {}, 'ask'], ['run.failed', { status: 'timed_out', failure }]),
    );

    expect(spans.map(({ name, endMs, error }) => [name, (endMs - AT) / 1_000, error])).toEqual([
      ['run n', 2, 'too long'],
      ['invoke_agent claude', 2, undefined],
      ['step ask', 2, undefined],
    ]);
    expect(spans[0]?.attributes['error.type']).toBe('run.timed-out');
  });

  it.each([
    ['that has not ended', log(queued, ['run.started', {}])],
    ['without its beginning', log(queued, ['run.completed', {}]).slice(1)],
    ['without events', []],
  ])('is empty for a log %s', (_, events) => {
    expect(spansOf('ns', events)).toEqual([]);
  });

  it('leaves out what newer releases say', () => {
    const spans = spansOf(
      'ns',
      log(queued, ['step.dreaming', {}, 'ask'], ['run.sleeping', {}], ['run.cancelled', {}]),
    );

    expect(spans.map(({ name }) => name)).toEqual(['run n']);
  });
});

it('otlpOf writes 64 bits as text', () => {
  const [span] = spansOf('ns', log(queued, ['run.completed', {}]));
  const body = otlpOf([{ traceId: 'a'.repeat(32), spans: span === undefined ? [] : [span] }], {
    name: 's',
    version: '1',
  });

  expect(JSON.stringify(body)).toContain('"startTimeUnixNano":"1700000000000000000"');
});
