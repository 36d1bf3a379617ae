import { Injectable } from '@nestjs/common';

import type { Issue } from '../../../kernel/failure.js';
import { pointerOf, type JsonObject } from '../../../kernel/json.js';
import { AgentProvider, type AgentOutcome, type AgentPart, type AgentRequest } from '../../agent.provider.js';
import { Provider } from '../../provider.decorator.js';

/** Answers its input. */
@Injectable()
@Provider({
  kind: 'echo',
  description: 'Answers its input as it came.',
  agents: [{ key: 'echo', description: 'Answers its input as it came.', settings: {} }],
})
export class EchoProvider extends AgentProvider {
  override check(settings: JsonObject): readonly Issue[] {
    return Object.keys(settings).map((key) => ({
      pointer: pointerOf([key]),
      code: 'field.unknown',
      message: 'echo takes no settings',
    }));
  }

  override settingsSchema(): JsonObject {
    return { type: 'object', additionalProperties: false };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is a stream; echo streams nothing
  override async *invoke({ input }: AgentRequest): AsyncGenerator<AgentPart, AgentOutcome, void> {
    return { status: 'completed', output: input };
  }
}
