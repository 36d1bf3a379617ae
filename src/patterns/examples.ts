/** One start of each pattern, with agents that need no key. */
import type { JsonObject } from '../kernel/json.js';
import type { PatternName } from './domain/patterns.js';

/** The body of a start. */
export interface PatternExample {
  readonly parameters: JsonObject;
  readonly input: JsonObject;
}

const says = (output: string): JsonObject => ({ agent: 'scripted', input: { output } });

export const patternExamples: { readonly [N in PatternName]: PatternExample } = {
  sequential: {
    parameters: {
      steps: [
        { agent: 'scripted', input: { output: 'A tune in {{ previous.output.mood }} mood' } },
        { agent: 'echo', input: { title: '{{ previous.output | upcase }}' } },
      ],
    },
    input: { mood: 'calm' },
  },
  parallel: {
    parameters: {
      branches: [
        { id: 'bass', ...says('{{ input.key }}: low and slow') },
        { id: 'lead', ...says('{{ input.key }}: high and quick') },
        { id: 'drums', agent: 'scripted', input: { error: { message: 'no sticks', retryable: false } } },
      ],
      maxConcurrency: 2,
      failure: 'settle',
    },
    input: { key: 'A minor' },
  },
  conditional: {
    parameters: {
      switch: 'input.tempo > 120 ? "fast" : input.tempo < 80 ? "slow" : "other"',
      cases: [
        { value: 'fast', ...says('Drum and bass') },
        { value: 'slow', ...says('Ambient') },
      ],
      default: says('House'),
    },
    input: { tempo: 174 },
  },
  'map-reduce': {
    parameters: {
      items: 'input.words',
      map: says('{{ item | upcase }}'),
      reduce: says("{{ item | join: ' ' }}"),
      maxConcurrency: 3,
      fanIn: 2,
    },
    input: { words: ['one', 'and', 'two', 'and', 'three'] },
  },
  router: {
    parameters: {
      task: '{{ input.question }}',
      router: says('{% if input.question contains "invoice" %}billing{% else %}support{% endif %}'),
      candidates: [
        { name: 'billing', description: 'Knows invoices and payments.', ...says('Your invoice is paid.') },
        { name: 'support', description: 'Knows the product.', ...says('Turn it off and on again.') },
      ],
      default: 'support',
    },
    input: { question: 'Is my invoice paid?' },
  },
  critique: {
    parameters: {
      task: 'Write a title for {{ input.topic }}.',
      generator: says('Title {{ iteration | plus: 1 }} for {{ input.topic }}'),
      judge: {
        agent: 'scripted',
        input: {
          output: {
            scores: { clear: '{{ iteration | times: 2 | plus: 5 }}', short: 9 },
            feedback: 'Say what it is about.',
          },
        },
      },
      criteria: [{ name: 'clear', description: 'Understood at once.', weight: 3 }, { name: 'short' }],
      threshold: 8,
      maxIterations: 4,
    },
    input: { topic: 'a lighthouse' },
  },
  debate: {
    parameters: {
      topic: '{{ input.topic }}',
      participants: [
        {
          name: 'optimist',
          role: 'You see chances.',
          ...says('Round {{ iteration | plus: 1 }}: yes'),
          ballot: { output: 'optimist' },
        },
        {
          name: 'sceptic',
          role: 'You see risks.',
          ...says('Round {{ iteration | plus: 1 }}: perhaps'),
          ballot: { output: 'optimist' },
        },
      ],
      rounds: 2,
      vote: true,
      synthesis: says('Mostly {{ steps.tally.output.winner }} after {{ steps.debate.output.rounds }} rounds'),
    },
    input: { topic: 'Should machines write music?' },
  },
  supervisor: {
    parameters: {
      goal: 'A song about {{ input.subject }}',
      supervisor: {
        agent: 'scripted',
        input: {
          output:
            '{% if iteration == 0 %}lyricist: words about {{ input.subject }}\ncomposer: a tune\n' +
            '{% else %}DONE: {{ previous.reports[0].outputs[0] }} to {{ previous.reports[1].outputs[0] }}{% endif %}',
        },
      },
      delegates: [
        { name: 'lyricist', description: 'Writes words.', ...says('[{{ item.task }}]') },
        { name: 'composer', description: 'Writes tunes.', ...says('[{{ item.task }}]') },
      ],
      maxRounds: 3,
    },
    input: { subject: 'rain' },
  },
};
