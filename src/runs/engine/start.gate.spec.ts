import { StartGate, type GatedRun } from './start.gate.js';

class Run implements GatedRun {
  pokes = 0;

  constructor(readonly runId: string) {}

  poke(): void {
    this.pokes += 1;
  }
}

let gate: StartGate;
let suspect: Run;
let calm: Run;
let other: Run;

beforeEach(() => {
  gate = new StartGate();
  [suspect, calm, other] = [new Run('suspect'), new Run('calm'), new Run('other')];
});

it('lets every run start while none is suspected', () => {
  expect([gate.mayStart(calm, false), gate.mayStart(other, false)]).toEqual([true, true]);
});

it('lets a suspect start when nothing else is open', () => {
  expect(gate.mayStart(suspect, true)).toBe(true);
  gate.setOpen('suspect', 1);
  expect(gate.mayStart(suspect, true)).toBe(true);
});

it('makes a suspect wait for what is open, and pokes it when the last attempt has ended', () => {
  gate.setOpen('calm', 2);
  gate.setOpen('other', 1);
  expect(gate.mayStart(suspect, true)).toBe(false);

  gate.setOpen('calm', 1);
  expect([suspect.pokes, gate.mayStart(suspect, true)]).toEqual([0, false]);
  gate.setOpen('calm', 0);
  gate.setOpen('other', 0);

  expect(suspect.pokes).toBeGreaterThan(0);
  expect(gate.mayStart(suspect, true)).toBe(true);
});

it('lets nothing else start while there is a suspect, and pokes the others when it leaves', () => {
  gate.mayStart(suspect, true);
  expect([gate.mayStart(calm, false), gate.mayStart(other, false)]).toEqual([false, false]);

  gate.leave(suspect);

  expect([calm.pokes, other.pokes]).toEqual([1, 1]);
  expect([gate.mayStart(calm, false), gate.mayStart(other, false)]).toEqual([true, true]);
});

it('pokes the others when a suspect has cleared itself', () => {
  gate.mayStart(suspect, true);
  gate.mayStart(calm, false);

  expect(gate.mayStart(suspect, false)).toBe(true);

  expect(calm.pokes).toBe(1);
  expect(gate.mayStart(calm, false)).toBe(true);
});

it('takes suspects one after another, in the order in which they came', () => {
  expect([gate.mayStart(suspect, true), gate.mayStart(other, true)]).toEqual([true, false]);
  gate.setOpen('suspect', 1);

  gate.leave(suspect);

  expect(other.pokes).toBe(1);
  expect(gate.mayStart(other, true)).toBe(true);
});

it('forgets a run that leaves: what it had open holds up nobody', () => {
  gate.setOpen('calm', 1);
  expect(gate.mayStart(suspect, true)).toBe(false);

  gate.leave(calm);

  expect(suspect.pokes).toBe(1);
  expect(gate.mayStart(suspect, true)).toBe(true);
});

it('does not poke a run that has left while it waited', () => {
  gate.mayStart(suspect, true);
  gate.mayStart(calm, false);
  gate.leave(calm);

  gate.leave(suspect);

  expect(calm.pokes).toBe(0);
});
