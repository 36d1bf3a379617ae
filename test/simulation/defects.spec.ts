/** The simulation finds what it is there to find: each defect that is planted is caught as the promise it breaks. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { Violation } from '../support/invariants/evidence.js';

/** Far more than it takes, for machines that do much else. */
const DEADLINE_MS = 480_000;

const DEFECTS = [
  'a result accepted with an old epoch',
  'result and next steps in two writes',
  'event number from a separate read',
  'lease renewed after loss',
  'a retry counted twice',
  '`when` evaluated early',
  'a skip that releases what needed success',
  'a map over nothing that never ends',
  'a slot not returned on crash',
  'cancel racing completion',
  'a timer on wall clock',
  'a cursor moved before its publish',
];

interface Answer {
  readonly clean: readonly { readonly violations: readonly Violation[] }[];
  readonly caught: readonly { readonly name: string; readonly found?: Violation }[];
}

let answer: Answer;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/simulation/catch-defects.mjs']);
  answer = JSON.parse(stdout) as Answer;
}, DEADLINE_MS);

it('finds nothing where no defect is planted', () => {
  expect(answer.clean).toEqual([]);
});

it.each(DEFECTS)('catches %s', (name) => {
  const caught = answer.caught.find((one) => one.name === name);
  expect(caught?.found).toMatchObject({ invariant: expect.stringMatching(/^I\d+$/) });
});
