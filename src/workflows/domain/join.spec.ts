import type { Join } from './definition.schema.js';
import { decideJoin, type JoinCounts, type JoinDecision } from './join.js';

const COUNTED: Record<string, keyof JoinCounts> = {
  c: 'completed',
  h: 'handledFailures',
  f: 'failed',
  s: 'skipped',
  x: 'cancelled',
};

/** One letter per dependency: c(ompleted), h(andled failure), f(ailed), s(kipped), x cancelled, - not ended yet. */
function counts(dependencies: string): JoinCounts {
  const none = {
    total: dependencies.length,
    completed: 0,
    handledFailures: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  };
  return Array.from(dependencies).reduce((sum, letter) => {
    const name = COUNTED[letter];
    return name === undefined ? sum : { ...sum, [name]: sum[name] + 1 };
  }, none);
}

describe('decideJoin', () => {
  it.each<
    [dependencies: string, noneFailed: JoinDecision, allCompleted: JoinDecision, anyCompleted: JoinDecision]
  >([
    ['c', 'run', 'run', 'run'],
    ['cc', 'run', 'run', 'run'],
    ['cs', 'run', 'skip', 'run'],
    ['ch', 'run', 'skip', 'run'],
    ['cf', 'skip', 'skip', 'run'],
    ['cx', 'skip', 'skip', 'run'],
    ['h', 'run', 'skip', 'skip'],
    ['hh', 'run', 'skip', 'skip'],
    ['hs', 'run', 'skip', 'skip'],
    ['hf', 'skip', 'skip', 'skip'],
    ['f', 'skip', 'skip', 'skip'],
    ['s', 'skip', 'skip', 'skip'],
    ['ss', 'skip', 'skip', 'skip'],
    ['x', 'skip', 'skip', 'skip'],
    ['chfsx', 'skip', 'skip', 'run'],
  ])('after %s: none_failed %s, all_completed %s, any_completed %s', (dependencies, ...decisions) => {
    const joins: readonly Join[] = ['none_failed', 'all_completed', 'any_completed'];

    expect(joins.map((join) => decideJoin(join, counts(dependencies)))).toEqual(decisions);
  });

  it.each(['c', 'h', 'f', 's', 'x', 'chfsx'])('after %s: all_settled runs', (dependencies) => {
    expect(decideJoin('all_settled', counts(dependencies))).toBe('run');
  });

  it.each<Join>(['none_failed', 'all_completed', 'any_completed', 'all_settled'])(
    '%s waits for every dependency, and runs without any',
    (join) => {
      expect(
        ['-', 'c-', 'f-', 's-', 'x-', 'h-', 'chfsx-'].map((all) => decideJoin(join, counts(all))),
      ).toEqual(new Array(7).fill('wait'));
      expect(decideJoin(join, counts(''))).toBe('run');
    },
  );
});
