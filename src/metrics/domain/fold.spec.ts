import { isoOf } from '../../kernel/time.js';
import { loggedEvent } from '../../runs/domain/logged-event.js';
import { encodeEvent, type RunEvent } from '../../runs/domain/run.events.js';
import { RunFolder, Tally } from './fold.js';
import { headOf } from './run-head.js';

const AT = 1_700_000_000_000;
const RUN = 'run_0190a1b2c3d47e8f9012345678abcdef';

type Given = readonly [type: string, stepId?: string | undefined, path?: string | undefined, data?: object];

/** What a run's events come to, by dimension and key. */
function figuresOf(
  steps: readonly object[],
  given: readonly Given[],
): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const queued = { definition: { name: 'w', steps }, manifest: { agents: {} }, options: { tags: [] } };
  const all: readonly Given[] = [['run.queued', undefined, undefined, queued], ['run.started'], ...given];
  const events = all.map(([type, stepId, path, data = {}], index) => ({
    ...{ runId: RUN, seq: index + 1, type, at: isoOf(AT + index), data },
    ...(stepId !== undefined && { stepId }),
    ...(path !== undefined && { path }),
  })) as unknown as readonly RunEvent[];
  const tally = new Tally();
  const folder = new RunFolder(headOf('default', events[0]), tally, undefined);
  for (const event of events) folder.fold(loggedEvent(encodeEvent(event).text));
  return new Map(
    tally.list().map(({ series, figures }) => [`${series.dimension} ${series.key}`, figures.counts]),
  );
}

const ask = { id: 'ask', agent: 'claude' };

describe('RunFolder', () => {
  it('counts items as the attempts of their step, and not the step around them', () => {
    const figures = figuresOf(
      [{ ...ask, forEach: { items: 'input' } }],
      [
        ['step.started', 'ask'],
        ['item.started', 'ask', 'ask[0]'],
        ['item.started', 'ask', 'ask[1]'],
        ['item.completed', 'ask', 'ask[1]', { costMicros: 5 }],
        ['item.retrying', 'ask', 'ask[0]', { costMicros: 2 }],
        ['item.started', 'ask', 'ask[0]'],
        ['item.failed', 'ask', 'ask[0]'],
        ['step.completed', 'ask'],
        ['run.completed'],
      ],
    );

    for (const name of ['attempts ', 'agent claude', 'step ask']) {
      expect(figures.get(name)).toMatchObject({
        started: 3,
        completed: 1,
        failed: 1,
        retries: 1,
        costMicros: 7,
      });
    }
    expect(figures.get('runs ')).toMatchObject({ completed: 1, retries: 1, costMicros: 7 });
  });

  it('counts what a sub-run has spent in that run, and not again in the step whose work it is', () => {
    const figures = figuresOf(
      [{ id: 'sub', workflow: { name: 'other' } }, ask],
      [
        ['step.started', 'sub'],
        ['step.completed', 'sub', undefined, { costMicros: 5 }],
        ['step.completed', 'ask', undefined, { costMicros: 2 }],
        ['run.spent', undefined, undefined, { subRunId: 'run_1', path: 'sub', costMicros: 9 }],
        ['run.completed'],
      ],
    );

    expect(figures.get('step sub')).toMatchObject({ started: 1, completed: 1, costMicros: 0 });
    expect(figures.get('runs ')).toMatchObject({ costMicros: 2 });
  });

  it('counts steps within the body of a loop by their agent', () => {
    const figures = figuresOf(
      [{ id: 'loop', kind: 'loop', repeat: { body: { steps: [ask] } } }],
      [
        ['step.started', 'ask', 'loop[1]/ask'],
        ['step.completed', 'ask', 'loop[1]/ask'],
        ['step.started', 'ask', 'loop[2]/ask'],
        ['run.failed', undefined, undefined, { status: 'timed_out' }],
      ],
    );

    expect(figures.get('agent claude')).toMatchObject({ started: 2, completed: 1, cancelled: 1 });
    expect(figures.get('workflow w')).toMatchObject({ timed_out: 1, failed: 0 });
  });

  it('counts a run that is opened again and ends before it starts as another end, without a duration', () => {
    const figures = figuresOf([ask], [['run.cancelled'], ['run.retried'], ['run.completed']]);

    expect(figures.get('runs ')).toMatchObject({ started: 1, cancelled: 1, completed: 1, durationMs: 1 });
  });

  it('counts a run that is retried as one start and two ends, each with its own duration', () => {
    const figures = figuresOf(
      [ask],
      [['run.cancelled'], ['run.retried'], ['run.started'], ['run.completed']],
    );

    expect(figures.get('runs ')).toMatchObject({ started: 1, cancelled: 1, completed: 1, durationMs: 2 });
  });

  it('counts what unknown events say was spent, and nothing else', () => {
    const figures = figuresOf(
      [ask],
      [['step.dreamt', 'ask', undefined, { costMicros: 3, usage: { outputTokens: 4 } }]],
    );

    expect(figures.get('agent claude')).toMatchObject({
      started: 0,
      completed: 0,
      costMicros: 3,
      outputTokens: 4,
    });
  });
});
