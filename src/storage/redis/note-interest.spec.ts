import { ManualClock } from '../../../test/support/manual-clock.js';
import { NoteInterest, WANTED_MS } from './note-interest.js';

describe('NoteInterest', () => {
  let clock: ManualClock;
  let interest: NoteInterest;
  beforeEach(() => {
    clock = new ManualClock();
    interest = new NoteInterest(() => clock.monotonic());
  });

  it('takes everything for wanted while no announcement can be heard', () => {
    clock.advance(10 * WANTED_MS);

    expect(interest.isWanted('a')).toBe(true);
  });

  it('takes everything for wanted until each process has had the time to announce itself', () => {
    interest.hearing();
    clock.advance(WANTED_MS - 1);
    expect(interest.isWanted('a')).toBe(true);

    clock.advance(1);

    expect(interest.isWanted('a')).toBe(false);
  });

  it('takes for wanted what was announced, as long as that goes on', () => {
    interest.hearing();
    clock.advance(WANTED_MS);
    interest.announced(['a', 'b']);
    clock.advance(WANTED_MS - 1);
    interest.announced(['a']);
    clock.advance(1);

    expect(['a', 'b', 'c'].map((topic) => interest.isWanted(topic))).toEqual([true, false, false]);
  });

  it('begins anew when announcements may have been missed', () => {
    interest.hearing();
    clock.advance(WANTED_MS);
    interest.deaf();
    expect(interest.isWanted('a')).toBe(true);

    interest.hearing();

    expect(interest.isWanted('a')).toBe(true);
  });
});
