import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';

import { failureOf, type ErrorType, type FailureOptions, type Issue } from '../../../kernel/failure.js';
import type { JsonObject } from '../../../kernel/json.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentArtifact,
  type AgentHealth,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import { Provider } from '../../provider.decorator.js';
import { midiFileOf } from './midi-file.js';
import { pianoRollOf } from './piano-roll.js';
import { scoreOf, type Score } from './score.js';
import { StrudelEvaluator, type Evaluation } from './strudel-evaluator.js';
import { strudelErrors } from './strudel.errors.js';
import {
  checkSettings,
  parseInput,
  parseSettings,
  strudelSettingsSchema,
  type EvaluatorResult,
  type Limit,
  type StrudelInput,
  type StrudelSettings,
} from './strudel.schema.js';

const NOT_INSTALLED =
  'The Strudel packages are not installed. Install them with `npm install --include=optional`, then `npm run build`.';
const DEFAULT_CPS = 0.5;

/**
 * Checks a Strudel program and renders what it plays.
 *
 * Input: `code`, and `cycles` to look at. Output: `valid`, `errors` with lines and columns from 1, `events` in order
 * of begin, end and value with times in cycles, and `cycles`. A valid program also gives the artifacts `pattern.svg`,
 * a piano roll, and `pattern.mid`.
 *
 * A program that is wrong completes with `valid: false`, so that a loop can have it mended; so does one that makes
 * more than 20,000 events, or more than 2 MiB of them. A program that has to be stopped fails with
 * `sandbox.limit-exceeded`: it ran too long (settings, `timeLimitMs`), or took more memory or stack than there is.
 *
 * Strudel itself runs in a program of its own, see evaluator/README.md.
 */
@Injectable()
@Provider({
  kind: 'strudel',
  description: 'Checks Strudel programs and renders them as a piano roll and a MIDI file',
  agents: [{ key: 'strudel', description: 'Strudel, live-coded music', settings: {} }],
})
export class StrudelProvider extends AgentProvider implements OnApplicationShutdown {
  private readonly logger = new Logger(StrudelProvider.name);

  constructor(private readonly evaluator: StrudelEvaluator) {
    super();
  }

  override check(settings: JsonObject): readonly Issue[] {
    return checkSettings(settings);
  }

  override settingsSchema(): JsonObject {
    return z.toJSONSchema(strudelSettingsSchema, { io: 'input' }) as JsonObject;
  }

  override async *invoke(
    request: AgentRequest,
    context: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const settings = parseSettings(request.settings);
    if (!settings.ok) return { status: 'failed', failure: settings.failure };
    const input = parseInput(request.input);
    if (!input.ok) return { status: 'failed', failure: input.failure };
    if (!this.evaluator.isInstalled) return failed(agentErrors['agent.not-configured'], NOT_INSTALLED);
    yield { type: 'progress', message: `Evaluating ${input.value.cycles} cycles` };
    const evaluation = await this.evaluator.evaluate({ ...input.value, ...settings.value }, context.signal);
    return this.outcomeOf(evaluation, input.value, settings.value);
  }

  override health(settings: JsonObject): Promise<AgentHealth> {
    const parsed = parseSettings(settings);
    if (!parsed.ok) return Promise.resolve({ status: 'offline', reason: parsed.failure.message });
    if (!this.evaluator.isInstalled) return Promise.resolve({ status: 'offline', reason: NOT_INSTALLED });
    return Promise.resolve({ status: 'available' });
  }

  onApplicationShutdown(): Promise<void> {
    return this.evaluator.stop();
  }

  private outcomeOf(evaluation: Evaluation, input: StrudelInput, settings: StrudelSettings): AgentOutcome {
    switch (evaluation.kind) {
      case 'result':
        return outcomeOfResult(evaluation.result, input.cycles, settings);
      case 'died':
        this.logger.warn(`The evaluator died: ${evaluation.reason}. ${evaluation.complaint}`);
        return failed(
          strudelErrors['strudel.evaluator-died'],
          `The evaluator gave no answer: ${evaluation.reason}.`,
        );
      case 'aborted':
        return failed(strudelErrors['strudel.evaluator-died'], 'The evaluation was aborted.');
    }
  }
}

function outcomeOfResult(result: EvaluatorResult, cycles: number, settings: StrudelSettings): AgentOutcome {
  if ('limit' in result) return limitExceeded(result.limit, settings.timeLimitMs);
  const { errors, events, cps = DEFAULT_CPS } = result;
  const output = { valid: errors.length === 0, errors, events, cycles };
  if (!output.valid) return { status: 'completed', output };
  return { status: 'completed', output, artifacts: artifactsOf(scoreOf(events, { cycles, cps })) };
}

function artifactsOf(score: Score): readonly AgentArtifact[] {
  const picture = new TextEncoder().encode(pianoRollOf(score));
  return [
    { name: 'pattern.svg', mediaType: 'image/svg+xml', content: picture },
    { name: 'pattern.mid', mediaType: 'audio/midi', content: midiFileOf(score) },
  ];
}

function limitExceeded(limit: Limit, timeLimitMs: number): AgentOutcome {
  const messages: Record<Limit, string> = {
    time: `The program ran for more than ${timeLimitMs} ms and was stopped.`,
    memory: 'The program took more than its 64 MiB of memory and was stopped.',
    stack: 'The program called itself too deeply and was stopped.',
  };
  return failed(agentErrors['sandbox.limit-exceeded'], messages[limit], { details: { limit } });
}

function failed(type: ErrorType, message: string, options?: FailureOptions): AgentOutcome {
  return { status: 'failed', failure: failureOf(type, message, options) };
}
