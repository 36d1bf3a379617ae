/** Orchestration patterns with a model: their own prompts, and answers in the model's words. */
import type { JsonObject } from '../../src/kernel/json.js';
import type { PatternName } from '../../src/patterns/domain/patterns.js';
import type { RunView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { LlmStub, message, type StubAnswer } from '../support/llm-stub.js';

/** What a model says to a prompt that has a text in it; the first that fits. */
type Said = readonly (readonly [asked: string, answer: string])[];

interface ModelCase {
  readonly pattern: PatternName;
  readonly parameters: JsonObject;
  readonly said: Said;
  readonly output: unknown;
}

const claude = { agent: 'claude' };

/** As much as models like to add. */
const CHATTER = 'And there is more to say about this, at some length.\n'.repeat(200);

/** What the model of the test at hand says. */
let told: Said = [];
let stub: LlmStub;
let service: RunningApp;

beforeAll(async () => {
  stub = await LlmStub.start();
  stub.queue(...Array.from({ length: 100 }, () => answering));
  const env = {
    ANTHROPIC_API_KEY: 'sk-test',
    ANTHROPIC_BASE_URL: stub.baseUrl,
    CLAUDE_MODEL: 'claude-sonnet-4-5',
  };
  service = await startApp({ env });
});

afterAll(async () => {
  await service.close();
  await stub.stop();
});

function promptOf(body: unknown): string {
  const { messages } = body as {
    readonly messages: readonly { readonly content: readonly { readonly text: string }[] }[];
  };
  return messages[0]?.content[0]?.text ?? '';
}

/** Answers by what it is asked; whatever it was not told of fails. */
const answering: StubAnswer = (request, response) => {
  const prompt = promptOf(request.body);
  const found = told.find(([asked]) => prompt.includes(asked));
  if (found === undefined) throw new Error(`nobody told the model of: ${prompt}`);
  return message({ deltas: [found[1]] })(request, response);
};

const cases: readonly ModelCase[] = [
  {
    pattern: 'sequential',
    parameters: {
      steps: [
        { ...claude, prompt: 'Name a {{ previous.output.mood }} colour' },
        { ...claude, prompt: 'Rhyme on {{ previous.output.text }}' },
      ],
    },
    said: [
      ['Name a calm colour', 'blue'],
      ['Rhyme on blue', 'true'],
    ],
    output: { text: 'true', finishReason: 'stop' },
  },
  {
    pattern: 'parallel',
    parameters: {
      branches: [
        { id: 'a', ...claude, prompt: 'One' },
        { id: 'b', ...claude, prompt: 'Two' },
      ],
    },
    said: [
      ['One', '1'],
      ['Two', '2'],
    ],
    output: { a: { text: '1', finishReason: 'stop' }, b: { text: '2', finishReason: 'stop' } },
  },
  {
    pattern: 'conditional',
    parameters: {
      decide: { ...claude, question: 'Is {{ input.mood }} a mood?' },
      then: { ...claude, prompt: 'Sing' },
    },
    said: [
      ['Is calm a mood?', 'Yes.'],
      ['Sing', 'la la'],
    ],
    output: { branch: 'then', output: { text: 'la la', finishReason: 'stop' } },
  },
  {
    pattern: 'map-reduce',
    parameters: {
      items: ['x', 'y', 'z'],
      map: { ...claude, prompt: 'Letter {{ item }}' },
      reduce: { ...claude, prompt: "Join {{ item | map: 'text' | join: '+' }}" },
      fanIn: 2,
    },
    said: [
      ['Letter x', 'X'],
      ['Letter y', 'Y'],
      ['Letter z', 'Z'],
      ['Join X+Y', 'XY'],
      ['Join Z', 'Z'],
      ['Join XY+Z', 'XYZ'],
    ],
    output: { text: 'XYZ', finishReason: 'stop' },
  },
  {
    pattern: 'router',
    parameters: {
      task: 'Sing {{ input.mood }} and low',
      router: claude,
      candidates: [
        { name: 'alto', description: 'Sings low.', ...claude },
        { name: 'soprano', description: 'Sings high.', ...claude },
      ],
    },
    said: [
      ['- alto: Sings low.\n- soprano: Sings high.', `The **alto** should do it.\n${CHATTER}`],
      ['Sing calm and low', 'mmm'],
    ],
    output: { candidate: 'alto', output: { text: 'mmm', finishReason: 'stop' } },
  },
  {
    pattern: 'critique',
    parameters: {
      task: 'Write a line.',
      generator: claude,
      judge: claude,
      criteria: [{ name: 'Clarity', description: 'Easy to read.' }, { name: 'wit' }],
    },
    said: [
      ['Answer:\nBetter.', `- **Clarity**: 9\n- wit: 8.5/10\n${CHATTER}`],
      ['Answer:\nFirst.', 'Clarity: 8\nwit: 2\nBe funnier.'],
      ['Your last answer:\nFirst.\n\nIt was judged:\nClarity: 8\nwit: 2\nBe funnier.', 'Better.'],
      ['Write a line.', 'First.'],
    ],
    output: {
      output: { text: 'Better.', finishReason: 'stop' },
      score: 8.75,
      scores: { Clarity: 9, wit: 8.5 },
      feedback: `- **Clarity**: 9\n- wit: 8.5/10\n${CHATTER}`,
      iteration: 2,
      passed: true,
      iterations: 2,
    },
  },
  {
    pattern: 'debate',
    parameters: {
      topic: 'Tea or coffee?',
      participants: [
        { name: 'ann', role: 'You love tea.', ...claude },
        { name: 'bob', role: 'You love coffee.', ...claude },
      ],
      moderator: claude,
      vote: true,
      synthesis: claude,
      rounds: 3,
    },
    said: [
      ['Sum up a debate', 'Tea it is.'],
      ['Vote for who argued best', 'ann'],
      ['ann: Tea!\nbob: Well, tea.\n\nAnswer with yes', 'Yes'],
      ['Answer with yes or no', 'No, not at all.'],
      [
        'You are bob in a debate. You love coffee.\n\nTopic: Tea or coffee?\n\nWhat was said in the last round:\nann: Tea!',
        'Well, tea.',
      ],
      ['You are bob', 'Coffee!'],
      ['You are ann in a debate. You love tea.', 'Tea!'],
    ],
    output: {
      conclusion: 'Tea it is.',
      statements: [
        { name: 'ann', text: 'Tea!' },
        { name: 'bob', text: 'Well, tea.' },
      ],
      rounds: 2,
      agreed: true,
      winner: 'ann',
      votes: { ann: 2, bob: 0 },
    },
  },
  {
    pattern: 'supervisor',
    parameters: {
      goal: 'A song',
      supervisor: claude,
      delegates: [
        { name: 'lyricist', description: 'Writes words.', ...claude },
        { name: 'composer', description: 'Writes tunes.', ...claude },
      ],
    },
    said: [
      ['"outputs":[{"text":"la","finishReason":"stop"}]', 'All is there.\nDONE: la la\nla'],
      [
        '- lyricist: Writes words.\n- composer: Writes tunes.',
        `Plan:\n- **lyricist**: some words\n- nobody: nothing\n${CHATTER}`,
      ],
      ['some words', 'la'],
    ],
    output: {
      answer: 'la la\nla',
      done: true,
      rounds: 2,
      reports: [
        {
          round: 1,
          delegate: 'lyricist',
          tasks: ['some words'],
          outputs: [{ text: 'la', finishReason: 'stop' }],
        },
      ],
    },
  },
];

it.each(cases.map((one) => [one.pattern, one] as const))(
  '%s asks a model in words that it can answer',
  async (pattern, { parameters, said, output }) => {
    told = said;
    const api = new Api(service.url);
    const { body: run } = await api.post<RunView>(
      `/orchestrations/${pattern}`,
      { parameters: { ...parameters, retry: { maxAttempts: 1 } }, input: { mood: 'calm' } },
      { Prefer: 'wait=30' },
    );

    expect(run).toMatchObject({ status: 'completed' });
    expect(run.output).toEqual(output);
  },
);
