import { ManualClock } from '../../../test/support/manual-clock.js';
import { until } from '../../../test/support/until.js';
import { WakeLoop, type NextLook } from './wake-loop.js';

/** A loop that is answered from a list, then with nothing to do. */
function scene(...answers: readonly (NextLook | Error)[]) {
  const clock = new ManualClock();
  const seen = { looks: 0, atOnce: 0, errors: [] as unknown[] };
  let underWay = 0;
  const loop = new WakeLoop({
    now: () => clock.now(),
    onError: (error) => seen.errors.push(error),
    look: async () => {
      const answer = answers[seen.looks];
      seen.looks += 1;
      underWay += 1;
      seen.atOnce = Math.max(seen.atOnce, underWay);
      await Promise.resolve();
      underWay -= 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { clock, seen, loop };
}

it('looks at the start, again where there is more to do, and then rests', async () => {
  const { seen, loop } = scene('now', 'now');
  await loop.start();

  expect(seen.looks).toBe(3);
  await loop.stop();
});

it('looks once more for all who ask meanwhile, never twice at once', async () => {
  const { seen, loop } = scene();
  const first = loop.start();
  await Promise.all([first, loop.look(), loop.look(), loop.look()]);

  expect(seen).toMatchObject({ looks: 2, atOnce: 1 });
  await loop.stop();
});

it('looks when its time has come', async () => {
  const { clock, seen, loop } = scene(new ManualClock().now() + 5);
  await loop.start();
  clock.advance(5);
  await until(() => seen.looks === 2, 'it has looked again');
  await loop.stop();
});

it('tells of a failure and looks again later, and not after it was stopped', async () => {
  const failure = new Error('not now');
  const { clock, seen, loop } = scene(failure);
  await loop.start();
  expect(seen).toMatchObject({ looks: 1, errors: [failure] });
  clock.advance(1_000);
  await until(() => seen.looks === 2, 'it has looked again');
  await loop.stop();
  await loop.look();

  expect(seen.looks).toBe(2);
});
