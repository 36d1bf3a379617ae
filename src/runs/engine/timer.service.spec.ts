import { Clock, SystemClock } from '../../platform/clock/clock.js';
import { TimerService } from './timer.service.js';

const START = 1_800_000_000_000;
/** How late a timer may fire. */
const SLOT_MS = 10;

let clock: Clock;
let timers: TimerService;

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  clock = new SystemClock();
  timers = new TimerService(clock);
});

afterEach(() => {
  timers.onApplicationShutdown();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

/** When the callback of each timer came, counted from the start. */
function firedAt(...delays: readonly number[]): readonly number[] {
  const fired: number[] = [];
  for (const delay of delays) timers.at(START + delay, () => fired.push(clock.now() - START));
  return fired;
}

describe('a timer', () => {
  it.each([0, 1, 9, 10, 11, 15, 999, 12_345])(
    'of %d ms fires never early and at most a slot late',
    (delay) => {
      const fired = firedAt(delay);

      jest.advanceTimersByTime(delay === 0 ? 0 : delay - 1);
      expect(fired).toEqual(delay === 0 ? [0] : []);
      jest.advanceTimersByTime(SLOT_MS);
      expect(fired).toHaveLength(1);
      expect(fired[0]).toBeGreaterThanOrEqual(delay);
    },
  );

  it('counts a delay from now', () => {
    const fired: number[] = [];
    jest.advanceTimersByTime(500);
    timers.after(200, () => fired.push(clock.now() - START));

    jest.advanceTimersByTime(1_000);

    expect(fired).toEqual([700]);
  });

  it('of a time that has passed fires at once, but not before the call returns', () => {
    const fired = firedAt(-5_000);
    expect(fired).toEqual([]);

    jest.advanceTimersByTime(0);

    expect(fired).toEqual([0]);
  });

  it('is not fired early by a timer of the system that comes early', () => {
    const [slow, early] = [new StandingClock(), [] as string[]];
    const own = new TimerService(slow);
    own.at(100, () => early.push('fired'));

    jest.advanceTimersByTime(100); // the system's timer has fired, the clock stands at 0
    expect(early).toEqual([]);
    slow.time = 100;
    jest.advanceTimersByTime(100);

    expect(early).toEqual(['fired']);
    own.onApplicationShutdown();
  });

  it('waits longer than setTimeout can', () => {
    const days = 24 * 3_600_000;
    const fired = firedAt(60 * days);

    jest.advanceTimersByTime(60 * days - 1);
    expect(fired).toEqual([]);
    jest.advanceTimersByTime(SLOT_MS);

    expect(fired).toHaveLength(1);
  });

  it('that has no end is never due', () => {
    const fired = firedAt(Infinity);

    jest.advanceTimersByTime(2 ** 32);

    expect(fired).toEqual([]);
  });
});

describe('timers', () => {
  it('fire in the order of their times, whatever the order in which they were set', () => {
    const order: number[] = [];
    for (const delay of [500, 20, 300, 100, 40]) timers.after(delay, () => order.push(delay));

    jest.advanceTimersByTime(1_000);

    expect(order).toEqual([20, 40, 100, 300, 500]);
  });

  it('are one timer of the system, however many there are', () => {
    for (let delay = 5_000; delay > 0; delay -= 7) timers.after(delay, () => undefined);

    expect(jest.getTimerCount()).toBe(1);
  });

  it('leave the system alone when there are none any more', () => {
    firedAt(10, 20, 30);

    jest.advanceTimersByTime(1_000);

    expect(jest.getTimerCount()).toBe(0);
  });

  it('may be set by a callback, for now and for later', () => {
    const fired: number[] = [];
    const note = (): void => void fired.push(clock.now() - START);
    timers.after(100, () => {
      timers.after(0, note);
      timers.after(50, note);
    });

    jest.advanceTimersByTime(1_000);

    expect(fired).toHaveLength(2);
    expect(fired[0]).toBeLessThanOrEqual(100 + SLOT_MS);
    expect(fired[1]).toBeGreaterThanOrEqual(150);
  });
});

describe('taking a timer back', () => {
  it('keeps it from firing, and only it', () => {
    const fired: string[] = [];
    const one = timers.after(100, () => fired.push('one'));
    timers.after(100, () => fired.push('other'));
    one.cancel();
    one.cancel();

    jest.advanceTimersByTime(1_000);

    expect(fired).toEqual(['other']);
  });

  it('does nothing when it has fired, though another one has its slot by now', () => {
    const fired: string[] = [];
    const first = timers.at(START, () => fired.push('first'));
    jest.advanceTimersByTime(0);
    timers.at(START, () => fired.push('second'));
    first.cancel();

    jest.advanceTimersByTime(0);

    expect(fired).toEqual(['first', 'second']);
  });

  it('lets a timer of the same slot that was set afterwards fire once', () => {
    const fired: string[] = [];
    timers.after(100, () => fired.push('taken back')).cancel();
    timers.after(100, () => fired.push('kept'));

    jest.advanceTimersByTime(1_000);

    expect(fired).toEqual(['kept']);
  });

  it('may be done by another callback of the same slot', () => {
    const fired: string[] = [];
    timers.after(100, () => {
      fired.push('first');
      second.cancel();
    });
    const second = timers.after(100, () => fired.push('second'));

    jest.advanceTimersByTime(1_000);

    expect(fired).toEqual(['first']);
  });

  it('of all does not keep the others waiting', () => {
    const fired = firedAt(5_000);
    for (let delay = 10; delay < 5_000; delay += 10) timers.after(delay, () => undefined).cancel();

    jest.advanceTimersByTime(6_000);

    expect(fired).toEqual([5_000]);
  });
});

it('fires nothing after the application has shut down', () => {
  const fired = firedAt(100);
  timers.onApplicationShutdown();

  jest.advanceTimersByTime(1_000);

  expect(fired).toEqual([]);
});

/** A clock that a test sets. */
class StandingClock extends Clock {
  time = 0;

  override now(): number {
    return this.time;
  }

  override monotonic(): number {
    return this.time;
  }
}
