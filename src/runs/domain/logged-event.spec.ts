import fc from 'fast-check';

import { loggedEvent } from './logged-event.js';
import { encodeEvent, type RunEvent } from './run.events.js';

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a"b', 'a\\', '","path":"x'),
);
const spent = fc.record(
  { usage: fc.record({ inputTokens: fc.nat() }), costMicros: fc.nat(), output: fc.jsonValue() },
  { requiredKeys: [] },
);

/** As the decider makes them: fields in the order of the type. */
const events = fc
  .tuple(
    fc.record({ runId: texts, seq: fc.nat(), type: texts, at: texts }),
    fc.record({ stepId: texts, path: texts, attempt: fc.nat() }, { requiredKeys: [] }),
    spent,
  )
  .map(([head, { stepId, path, attempt }, data]) => ({
    ...head,
    ...(stepId !== undefined && { stepId }),
    ...(path !== undefined && { path }),
    ...(attempt !== undefined && { attempt }),
    data,
  })) as unknown as fc.Arbitrary<RunEvent>;

/** The same with their fields in any order. */
const shuffled = fc.tuple(events, fc.infiniteStream(fc.nat())).map(([event, numbers]) =>
  Object.fromEntries(
    Object.entries(event)
      .map((field) => ({ field, place: numbers.next().value ?? 0 }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ field }) => field),
  ),
) as unknown as fc.Arbitrary<RunEvent>;

const headOf = ({ runId, seq, type, at, stepId, path }: RunEvent): object => ({
  ...{ runId, seq, type, at, stepId, path },
});

describe('loggedEvent', () => {
  it('has the head of the event that the text stands for, in whatever order its fields are', () => {
    fc.assert(
      fc.property(fc.oneof(events, shuffled), (event) => {
        const { text } = encodeEvent(event);
        const logged = loggedEvent(text);
        const parsed = JSON.parse(text) as RunEvent;

        expect(headOf(logged.head as RunEvent)).toEqual(headOf(parsed));
        expect(logged.event).toEqual(parsed);
        expect(logged.text).toBe(text);
      }),
    );
  });

  it('says that it may spend whenever it does', () => {
    fc.assert(
      fc.property(events, (event) => {
        const { usage, costMicros } = event.data as {
          readonly usage?: unknown;
          readonly costMicros?: unknown;
        };

        expect(loggedEvent(encodeEvent(event).text).maySpend || (usage ?? costMicros) === undefined).toBe(
          true,
        );
      }),
    );
  });

  it('knows of most events that they spend nothing without parsing them', () => {
    const event = { runId: 'r', seq: 2, type: 'step.started', at: 't', stepId: 's', attempt: 1, data: {} };

    expect(loggedEvent(JSON.stringify(event)).maySpend).toBe(false);
  });
});
