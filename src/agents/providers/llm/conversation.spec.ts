import type { Turn } from '../../agent.provider.js';
import { conversationOf } from './conversation.js';
import { turnBody, type LlmAnswer } from './turn.js';

const ANSWER: LlmAnswer = { model: 'm', requestedModel: 'm', text: 'So', finishReason: 'stop' };
const CALLS = [
  { id: 'a', name: 'add', input: { n: 1 } },
  { id: 'b', name: 'add', input: { n: 2 } },
];

type Entry = Partial<LlmAnswer> | { readonly callId: string };

/** Turns of answers and tool outcomes, numbered from 1. */
function turns(...entries: readonly Entry[]): readonly Turn[] {
  return entries.map((entry, index) =>
    'callId' in entry
      ? {
          turn: index + 1,
          body: null,
          tool: { name: 'add', callId: entry.callId, input: {}, output: entry.callId },
        }
      : { turn: index + 1, body: turnBody({ ...ANSWER, ...entry }) },
  );
}

describe('conversationOf', () => {
  it('is empty at first', () => {
    expect(conversationOf([], true)).toEqual({
      messages: [],
      turns: 0,
      repairs: 0,
      pending: [],
      answer: undefined,
    });
  });

  it('is over with an answer that calls no tool', () => {
    expect(conversationOf(turns({}), true)).toMatchObject({ turns: 1, answer: { text: 'So' } });
  });

  it('is over with an answer that calls tools where the agent has none', () => {
    expect(conversationOf(turns({ toolCalls: CALLS }), false)).toMatchObject({
      pending: [],
      answer: { toolCalls: CALLS },
    });
  });

  it.each<[string, readonly Entry[], readonly string[]]>([
    ['all calls of an answer', [{ toolCalls: CALLS }], ['1.1', '1.2']],
    ['those without outcome', [{ toolCalls: CALLS }, { callId: 'b' }], ['1.1']],
    ['none when all have one', [{ toolCalls: CALLS }, { callId: 'b' }, { callId: 'a' }], []],
    [
      'those of the last answer only',
      [{ toolCalls: CALLS }, { callId: 'a' }, { callId: 'b' }, { toolCalls: CALLS }],
      ['4.1', '4.2'],
    ],
  ])('has pending %s', (_what, entries, keys) => {
    expect(conversationOf(turns(...entries), true).pending.map(({ key }) => key)).toEqual(keys);
  });

  it('tells outcomes in the order of the calls', () => {
    expect(
      conversationOf(turns({ toolCalls: CALLS }, { callId: 'b' }, { callId: 'a' }), true).messages,
    ).toEqual([
      { role: 'calls', text: 'So', calls: CALLS },
      {
        role: 'outcomes',
        outcomes: [expect.objectContaining({ callId: 'a' }), expect.objectContaining({ callId: 'b' })],
      },
    ]);
  });

  it('tells a rejected answer what is wrong with it, and counts it as a repair', () => {
    expect(conversationOf(turns({ rejected: 'No' }), false)).toEqual({
      messages: [
        { role: 'assistant', content: 'So' },
        { role: 'user', content: 'No' },
      ],
      turns: 0,
      repairs: 1,
      pending: [],
      answer: undefined,
    });
  });

  it('says nothing for a model that said nothing', () => {
    expect(conversationOf(turns({ text: ' ', rejected: 'No' }), false).messages).toEqual([
      { role: 'user', content: 'No' },
    ]);
  });

  it('begins anew after an answer with which the agent failed', () => {
    const closed = turns({ rejected: 'No' }, { rejected: 'No', closed: true });

    expect(conversationOf(closed, false)).toMatchObject({ messages: [], repairs: 0 });
    expect(conversationOf([...closed, ...turns({})], false)).toMatchObject({
      turns: 1,
      answer: { text: 'So' },
    });
  });

  it('passes over what it did not record', () => {
    const strange: Turn = { turn: 1, body: { type: 'something.else' } };
    const tool = { name: 'a', callId: 'x', input: null, output: null };

    expect(conversationOf([strange, { turn: 2, body: null, tool }], true)).toMatchObject({ messages: [] });
  });
});
