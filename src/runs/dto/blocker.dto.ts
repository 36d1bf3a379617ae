import { ApiProperty, ApiPropertyOptional, type OpenAPIObject } from '@nestjs/swagger';

import type { Blocker, BlockerKind } from '../domain/blocker.js';
import { RUN_STATUSES, STEP_STATUSES, type RunStatus, type StepStatus } from '../domain/run.status.js';

type SchemaObject = Extract<
  NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string],
  { readonly type?: unknown }
>;
type Fields = Readonly<Record<string, SchemaObject>>;

/** One kind, and its fields beside `kind`. */
interface Variant {
  readonly description: string;
  readonly always?: Fields;
  readonly sometimes?: Fields;
}

const text = (description: string): SchemaObject => ({ type: 'string', description });
const count = (description: string): SchemaObject => ({ type: 'integer', description });
const oneOf = (description: string, values: readonly string[]): SchemaObject => ({
  ...text(description),
  enum: [...values],
});
const texts = (description: string): SchemaObject => ({
  type: 'array',
  description,
  items: { type: 'string' },
});

const UNTIL = { until: { ...text('When it is over by itself.'), format: 'date-time' } };
const SINCE = { since: { ...text('Since when.'), format: 'date-time' } };
const AGENT = { agent: text('The agent, by its key.') };
const HELD_BY: Fields = {
  heldBy: {
    type: 'array',
    description: 'Who has it; at most 100.',
    items: {
      type: 'object',
      required: ['runId'],
      properties: { runId: { type: 'string' }, path: { type: 'string' } },
    },
  },
};

const VARIANTS: { readonly [K in BlockerKind]: Variant } = {
  dependency: {
    description: 'A step must end before.',
    always: { path: text('The step.'), status: oneOf('How far it is.', STEP_STATUSES) },
  },
  condition: {
    description: 'Its condition reads steps that have not ended.',
    always: { reads: texts('Their paths.') },
  },
  ending: { description: 'It runs when the end of the run is decided.' },
  slot: {
    description: 'All places are taken.',
    always: { of: oneOf('Whose places.', ['run', 'step', 'process', 'agent']), ...HELD_BY },
    sometimes: { limit: count('How many there are.'), ...AGENT, ...UNTIL },
  },
  rate: {
    description: 'What an agent may do in a minute is used up, or its service asked for a pause.',
    always: { ...AGENT, of: oneOf('Why.', ['limit', 'pause']), ...UNTIL },
  },
  timer: {
    description: 'Its time has not come.',
    always: { of: oneOf('The next attempt, or the end of a wait.', ['backoff', 'wait']), ...UNTIL },
    sometimes: { failure: text('The code that the last attempt failed with.') },
  },
  signal: { description: 'A signal.', always: { name: text('Its name.') }, sometimes: UNTIL },
  approval: {
    description: 'The decision of a person.',
    sometimes: {
      id: text('The id of the approval.'),
      assignees: texts('Who may answer; absent: whoever may answer approvals.'),
      prompt: text('What is asked.'),
      ...UNTIL,
    },
  },
  pause: {
    description: 'Somebody paused the run.',
    sometimes: { ...SINCE, by: text('Who.'), reason: text('Why.') },
  },
  agent: {
    description: 'The agent is not called.',
    always: {
      ...AGENT,
      status: oneOf('Taken offline, or left alone for a while because it failed too often.', [
        'offline',
        'broken',
      ]),
    },
    sometimes: UNTIL,
  },
  queue: { description: 'Queued runs that come before.', always: { ahead: count('How many.') } },
  task: {
    description: 'A worker outside.',
    always: { id: text('The task.') },
    sometimes: {
      ...AGENT,
      status: oneOf('Whether a worker has it.', ['queued', 'leased']),
      ...SINCE,
      deliveries: count('How often it was handed out.'),
      ...UNTIL,
    },
  },
  run: {
    description: 'Another run that works for it.',
    always: { runId: text('Its id.') },
    sometimes: { status: oneOf('How far it is.', RUN_STATUSES), ...UNTIL },
  },
  attempt: {
    description: 'An attempt is under way.',
    always: { attempt: count('Its number.') },
    sometimes: { ...SINCE, ...AGENT, ...UNTIL },
  },
  held: {
    description: 'Items, iterations or steps that it holds are under way.',
    always: {
      of: oneOf('What it holds.', ['items', 'iterations', 'body']),
      total: count('How many; of iterations those that have begun.'),
      ended: count('How many have ended.'),
    },
  },
  cancelling: {
    description: 'The run is cancelled: what is under way ends, nothing else starts.',
    sometimes: { ...UNTIL, reason: text('Why.') },
  },
  owner: { description: 'No process drives the run at present.' },
  isolation: {
    description: 'A run that may have killed its process is executed alone, and this one waits for that.',
    always: HELD_BY,
  },
};

const BLOCKER: SchemaObject = {
  oneOf: Object.entries(VARIANTS).map(([kind, { description, always = {}, sometimes = {} }]) => ({
    type: 'object',
    description,
    required: ['kind', ...Object.keys(always)],
    properties: { kind: { type: 'string', enum: [kind] }, ...always, ...sometimes },
  })),
};

const EXAMPLE: readonly Blocker[] = [{ kind: 'dependency', path: 'greet', status: 'ready' }];

/** A unit that has not ended. */
export class UnitBlockersDto {
  @ApiProperty({ example: 'shout' })
  readonly stepId!: string;

  @ApiProperty({ example: 'shout', description: 'Where it stands in the run: `polish[3]/check`.' })
  readonly path!: string;

  @ApiProperty({ enum: STEP_STATUSES, example: 'pending' })
  readonly status!: StepStatus;

  @ApiProperty({
    type: 'array',
    items: BLOCKER,
    description: 'Everything that holds it back; empty when it is about to go on.',
    example: EXAMPLE,
  })
  readonly blockers!: readonly Blocker[];
}

/** What holds a run back. */
export class BlockersDto {
  @ApiProperty({ enum: RUN_STATUSES, example: 'paused' })
  readonly status!: RunStatus;

  @ApiProperty({ type: 'integer', description: 'The last event of the run at that time.', example: 2 })
  readonly lastSeq!: number;

  @ApiProperty({
    type: 'array',
    items: BLOCKER,
    description: 'What lets nothing of the run start.',
    example: [{ kind: 'pause', reason: 'an example to resume' }],
  })
  readonly run!: readonly Blocker[];

  @ApiProperty({
    type: () => [UnitBlockersDto],
    description: 'Steps, items and iterations that have not ended, each before those that it holds.',
  })
  readonly items!: readonly UnitBlockersDto[];

  @ApiPropertyOptional({ description: 'Where the next page begins; absent on the last one.' })
  readonly nextCursor?: string;
}
