/** Agents argue in rounds, each seeing what all said in the round before; one of them sums up. */
import { z } from 'zod';

import type { StepDefinition } from '../../workflows/domain/definition.schema.js';
import { json } from '../../workflows/domain/step-fields.schema.js';
import { answerOf, pickOf, quoted, quotedList, textIn } from './answer.js';
import { agentOf, Assembly, loop, type CompiledPattern } from './assembly.js';
import { callSchema, callSchemaWith, runFields, stepName, text } from './call.schema.js';

const MAX_PARTICIPANTS = 10;
const MAX_DEBATE_ROUNDS = 20;
const DEFAULT_ROUNDS = 2;

/** The schema of its parameters. */
export const debateSchema = z.strictObject({
  ...runFields,
  topic: text.describe('What is debated, in Liquid.'),
  participants: z
    .array(
      callSchemaWith({
        name: stepName.describe('What the others know the participant by.'),
        role: text.exactOptional().describe('What the participant stands for.'),
        ballot: json
          .exactOptional()
          .describe('What the participant is given to vote with. Else it is asked for a name.'),
      }),
    )
    .min(2)
    .max(MAX_PARTICIPANTS)
    .describe(
      'Called once in each round; texts read `iteration`, from 0, and `previous.statements`, a list of ' +
        '`{ name, text }`. Without more they are told the topic, their role and what was said.',
    ),
  rounds: z
    .int()
    .min(1)
    .max(MAX_DEBATE_ROUNDS)
    .exactOptional()
    .meta({ default: DEFAULT_ROUNDS })
    .describe('How many rounds there are at most.'),
  moderator: callSchema
    .exactOptional()
    .describe('Asked after each round whether all agree, answering yes or no: yes ends the debate.'),
  vote: z
    .boolean()
    .exactOptional()
    .meta({ default: false })
    .describe('Whether participants vote for one of them after the last round.'),
  synthesis: callSchema.describe(
    'Who sums up; texts read `steps.debate.output.transcript` and `steps.tally.output.winner`.',
  ),
});

type Parameters = z.infer<typeof debateSchema>;

/** Answers `{ conclusion, statements, rounds }`, with `agreed` where there is a moderator, and the votes. */
export function debate(parameters: Parameters): CompiledPattern {
  const { topic, rounds = DEFAULT_ROUNDS, moderator, vote = false, synthesis } = parameters;
  const assembly = new Assembly();
  const arguing = loop('debate', {
    ...(moderator !== undefined && { until: 'output.agreed', onExhausted: 'continue' as const }),
    maxIterations: rounds,
    body: {
      steps: [...speaking(assembly, parameters), ...agreeing(assembly, parameters)],
      output: {
        statements: '{{ steps.round.output.statements }}',
        transcript: '{{ steps.round.output.transcript }}',
        rounds: '{{ iteration | plus: 1 }}',
        ...(moderator !== undefined && { agreed: '{{ steps.agreed.output }}' }),
      },
    },
  });
  const prompt =
    `Sum up a debate and give its conclusion.\n\nTopic: ${topic}\n\n{{ steps.debate.output.transcript }}` +
    (vote ? '\n\nThe participants voted for {{ steps.tally.output.winner }}.' : '');
  const summing = assembly.call(
    synthesis,
    '/synthesis',
    { id: 'synthesis', dependsOn: ['debate', ...(vote ? ['tally'] : [])] },
    { input: { prompt }, from: '/topic' },
  );
  return assembly.finish('debate', parameters, {
    steps: [arguing, ...(vote ? voting(assembly, parameters) : []), summing],
    output: {
      conclusion: textIn('steps.synthesis.output'),
      statements: '{{ steps.debate.output.statements }}',
      rounds: '{{ steps.debate.output.rounds }}',
      ...(moderator !== undefined && { agreed: '{{ steps.debate.output.agreed }}' }),
      ...(vote && { winner: '{{ steps.tally.output.winner }}', votes: '{{ steps.tally.output.votes }}' }),
    },
  });
}

/** One statement of each, side by side, and what was said so far. */
function speaking(assembly: Assembly, { topic, participants }: Parameters): readonly StepDefinition[] {
  const statements = participants.map((participant, index) => {
    const { name, role } = participant;
    const prompt =
      `You are ${name} in a debate.${role === undefined ? '' : ` ${role}`}\n\nTopic: ${topic}\n\n` +
      '{% if iteration > 0 %}What was said in the last round:\n' +
      '{% for s in previous.statements %}{{ s.name }}: {{ s.text }}\n{% endfor %}\n{% endif %}' +
      'Give your statement.';
    const fallback = { input: { prompt }, from: '/topic' };
    return assembly.call(participant, `/participants/${index}`, { id: name }, fallback);
  });
  const said = participants.map(({ name }) => {
    return `{"name": ${quoted(name)}, "text": ${answerOf(`steps[${quoted(name)}].output`)}}`;
  });
  const round =
    `cel.bind(s, [${said.join(', ')}], {"statements": s, "transcript": ` +
    '(previous == null ? "" : previous.transcript + "\\n\\n") + ' +
    's.map(one, one.name + ": " + (type(one.text) == string ? one.text : "(no text)")).join("\\n")})';
  return [...statements, assembly.compute('round', round, '/participants')];
}

/** Whether the moderator finds that all agree; what is no yes is a no. */
function agreeing(assembly: Assembly, { topic, moderator }: Parameters): readonly StepDefinition[] {
  if (moderator === undefined) return [];
  const prompt =
    `Do the participants of this debate agree?\n\nTopic: ${topic}\n\n` +
    '{% for s in steps.round.output.statements %}{{ s.name }}: {{ s.text }}\n{% endfor %}\n' +
    'Answer with yes or no and nothing else.';
  const options = { id: 'moderate', dependsOn: ['round'] };
  const said = pickOf('steps.moderate.output', ['yes', 'no', 'true', 'false'], 'alone');
  return [
    assembly.call(moderator, '/moderator', options, { input: { prompt }, from: '/topic' }),
    assembly.compute('agreed', `${said} in ["yes", "true"]`, '/moderator'),
  ];
}

/** Each participant's vote, and who has the most; of several with the most, the first in order. */
function voting(assembly: Assembly, { topic, participants }: Parameters): readonly StepDefinition[] {
  const names = participants.map(({ name }) => name);
  const ids = names.map((_, index) => `vote${index + 1}`);
  const votes = participants.map((participant, index) => {
    const prompt =
      `You are ${participant.name}. Vote for who argued best in this debate.\n\nTopic: ${topic}\n\n` +
      `{{ steps.debate.output.transcript }}\n\nAnswer with one name and nothing else: ${names.join(', ')}`;
    const { ballot } = participant;
    const call = { ...agentOf(participant), ...(ballot !== undefined && { input: ballot }) };
    const options = { id: ids[index] ?? '', dependsOn: ['debate'] };
    return assembly.call(call, `/participants/${index}`, options, { input: { prompt }, from: '/topic' });
  });
  const cast = ids.map((id, index) =>
    assembly.compute(`ballot${index + 1}`, pickOf(`steps.${id}.output`, names, 'mentioned'), '/participants'),
  );
  const ballots = cast.map(({ id }) => `steps.${id}.output`);
  const counts = names.map((name) => `${quoted(name)}: size(b.filter(v, v == ${quoted(name)}))`);
  const tally =
    `cel.bind(b, [${ballots.join(', ')}], cel.bind(c, {${counts.join(', ')}}, {"votes": c, "winner": ` +
    `cel.bind(n, ${quotedList(names)}, n.filter(x, n.all(y, c[y] <= c[x]))[0])}))`;
  return [...votes, ...cast, assembly.compute('tally', tally, '/participants')];
}
