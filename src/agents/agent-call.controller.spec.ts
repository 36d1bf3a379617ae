import { EventEmitter } from 'node:events';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { agentScene } from '../../test/support/agents.js';
import { HandProvider, type Call } from '../../test/support/hand-provider.js';
import { until } from '../../test/support/until.js';
import { ErrorCatalogue } from '../platform/http/error.catalogue.js';
import { AgentCallController } from './agent-call.controller.js';
import { agentErrors } from './agent.errors.js';

let provider: HandProvider;
let controller: AgentCallController;
let socket: EventEmitter;

beforeEach(() => {
  provider = new HandProvider();
  const { agents, calls } = agentScene([provider]);
  controller = new AgentCallController(agents, calls, new ErrorCatalogue([agentErrors]));
  socket = new EventEmitter();
});

/** One call over a connection that is kept. */
function execute(key = 'hand'): ReturnType<AgentCallController['execute']> {
  const request = { raw: { socket }, headers: {}, id: 'req_1' } as unknown as FastifyRequest;
  return controller.execute(
    key,
    { input: 1 },
    { namespace: 'default' } as never,
    request,
    {} as FastifyReply,
  );
}

/** The nth call, once it has been made. */
async function call(number: number): Promise<Call> {
  await until(() => provider.calls.length >= number, 'the call is made');
  return provider.calls[number - 1] as Call;
}

it('answers output, usage and cost', async () => {
  const answer = execute();
  (await call(1)).complete('done', { usage: { inputTokens: 2 }, costMicros: 5 });

  expect(await answer).toEqual({ output: 'done', usage: { inputTokens: 2 }, costUsd: 0.000005 });
});

it('aborts the call when the connection closes', async () => {
  const answer = execute();
  const { isAborted: wasAborted } = await call(1);
  socket.emit('close');

  expect(wasAborted).toBe(false);
  expect((await call(1)).isAborted).toBe(true);
  await expect(answer).rejects.toMatchObject({ failure: { code: 'agent.crashed' } });
});

it('leaves nothing on a connection that carries many calls, however they end', async () => {
  for (let n = 0; n < 20; n += 1) {
    const completed = execute();
    (await call(2 * n + 1)).complete();
    await completed;
    const failed = execute();
    (await call(2 * n + 2)).fail();
    await expect(failed).rejects.toMatchObject({ failure: { code: 'agent.overloaded' } });
    await expect(execute('nobody')).rejects.toMatchObject({ failure: { code: 'agent.not-found' } });
  }

  expect(socket.listenerCount('close')).toBe(0);
});
