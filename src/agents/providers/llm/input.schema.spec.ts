import type { Json } from '../../../kernel/json.js';
import { parseInput } from './input.schema.js';

const parse = (input: Json): ReturnType<typeof parseInput> => parseInput(input, 'anthropic');

function issuesOf(input: Json): readonly string[] {
  const parsed = parse(input);
  if (parsed.ok) throw new Error('the input is good');
  return (parsed.failure.issues ?? []).map(({ pointer, message }) => `${pointer} ${message}`);
}

describe('parseInput', () => {
  it('reads a prompt as a conversation of one message', () => {
    expect(parse({ prompt: ' Hi ' })).toEqual({
      ok: true,
      value: { messages: [{ role: 'user', content: ' Hi ' }] },
    });
  });

  it('reads a conversation with options', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '{{ not.a.template }}' },
    ];
    const options = { system: 'Be brief', maxOutputTokens: 1, temperature: 0 };

    expect(parse({ messages, ...options })).toEqual({ ok: true, value: { messages, ...options } });
  });

  it.each<[string, Json, readonly string[]]>([
    ['nothing', null, [' Expected an object']],
    ['a text', 'Hi', [' Expected an object']],
    ['a list', ['Hi'], [' Expected an object']],
    ['neither prompt nor messages', {}, [' Expected either `prompt` or `messages`']],
    [
      'both prompt and messages',
      { prompt: 'Hi', messages: [{ role: 'user', content: 'Hi' }] },
      [' Expected either `prompt` or `messages`'],
    ],
    ['a blank prompt', { prompt: ' \n' }, ['/prompt Must not be blank']],
    ['a prompt that is no text', { prompt: 1 }, ['/prompt Expected a text']],
    ['no messages', { messages: [] }, ['/messages Expected at least one']],
    ['messages that are no list', { messages: 'Hi' }, ['/messages Expected a list of messages']],
    [
      'a system message',
      { messages: [{ role: 'system', content: 'x' }] },
      ['/messages/0/role Expected user or assistant; a system prompt goes into `system`'],
    ],
    [
      'content that is no text',
      { messages: [{ role: 'user', content: { url: 'http://169.254.169.254/' } }] },
      ['/messages/0/content Expected a text'],
    ],
    ['an unknown field', { prompt: 'Hi', 'to/do': 1 }, ['/to~1do Unknown field']],
    [
      'options out of range, all at once',
      { prompt: 'Hi', temperature: 1.5, maxOutputTokens: 0 },
      [
        '/maxOutputTokens Expected a whole number of tokens, at least 1',
        '/temperature Expected a number from 0 to 1',
      ],
    ],
  ])('refuses %s', (_what, input, issues) => {
    expect(issuesOf(input)).toEqual(issues);
  });

  it('fails with agent.input-invalid and says where in the message', () => {
    const parsed = parse({ prompt: '' });

    expect(parsed).toMatchObject({
      failure: {
        code: 'agent.input-invalid',
        retryable: false,
        message: 'The input can not be used. /prompt: Must not be blank.',
      },
    });
  });

  it('refuses keys of the prototype like any other unknown field', () => {
    expect(issuesOf(JSON.parse('{"prompt":"Hi","__proto__":{},"constructor":1}') as Json)).toEqual([
      '/__proto__ Unknown field',
      '/constructor Unknown field',
    ]);
  });
});
