import { RecordClock } from './record.clock.js';

/** What the machine's clock shows at the start. */
const START = 1_800_000_000_000;

/** A clock on a machine whose clocks a test sets. */
function scene() {
  const machine = { wall: START, monotonic: 1_000 };
  const clock = new RecordClock({ wall: () => machine.wall, monotonic: () => machine.monotonic });
  const pass = (ms: number): void => {
    machine.wall += ms;
    machine.monotonic += ms;
  };
  /** Hears the record after a round trip of so long; the record answers half way. */
  const hear = (recordNow: number, roundTripMs = 0): void => {
    const sentAt = machine.monotonic;
    pass(roundTripMs);
    clock.follow(recordNow, sentAt);
  };
  return { machine, clock, pass, hear };
}

it('shows what the machine shows before it has heard the record, and is not touched when that is set', () => {
  const { machine, clock, pass } = scene();
  expect(clock.now()).toBe(START);
  pass(250);
  machine.wall += 3_600_000;

  expect([clock.now(), clock.wall(), clock.wallOffMs()]).toEqual([START + 250, START + 250, 0]);
});

it.each([
  ['behind', -3_600_000],
  ['ahead', 3_600_000],
])('is set to the record the first time that it hears it: a machine is %s', (_, offMs) => {
  const { clock, pass, hear } = scene();
  hear(START - offMs);
  const [setTo, off] = [clock.now(), clock.wallOffMs()];
  pass(100);

  expect([clock.now(), clock.wall()]).toEqual([setTo + 100, setTo + 100]);
  expect(Math.abs(setTo - (START - offMs))).toBeLessThanOrEqual(1); // the record's time is rounded
  expect(Math.abs(off - offMs)).toBeLessThanOrEqual(1);
});

it('is not corrected while it agrees with the time between sending and hearing', () => {
  const { clock, hear } = scene();
  hear(START);
  for (const late of [0, 40, 80]) {
    const before = clock.now();
    hear(before + late, 80);
    expect(clock.now()).toBe(before + 80);
  }
});

it('jumps to the record where it is behind', () => {
  const { clock, pass, hear } = scene();
  hear(START);
  pass(1_000);
  hear(START + 8_000);

  expect(clock.now()).toBe(START + 8_000);
});

it('never runs backwards: it is slower until the record has caught up', () => {
  const { clock, pass, hear } = scene();
  hear(START);
  pass(10_000);
  hear(START);
  const seen = [clock.now()];
  for (let seconds = 1; seconds <= 30; seconds += 1) {
    pass(1_000);
    seen.push(clock.now());
  }

  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen[1]).toBe(START + 10_500);
  expect(seen.at(-1)).toBe(START + 30_001); // the record's own time, rounded
});

it('goes on to be corrected while it is slower', () => {
  const { clock, pass, hear } = scene();
  hear(START);
  hear(START - 10_000);
  pass(1_000);
  hear(START + 60_000);
  expect(clock.now()).toBe(START + 60_000);
  pass(1_000);

  expect(clock.now()).toBe(START + 61_000);
});

it('tells how far the clock of the machine is off from the record, whatever it has corrected itself', () => {
  const { machine, clock, hear } = scene();
  hear(START);
  machine.wall += 5_000;
  hear(START, 0);
  expect(clock.wallOffMs()).toBeGreaterThanOrEqual(4_998);
  machine.wall -= 5_000;
  hear(START, 0);

  expect(clock.wallOffMs()).toBe(0);
});
