import { EventEmitter } from 'node:events';

import { Reflector, type DiscoveryService } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { HandProvider, type Call } from '../../test/support/hand-provider.js';
import { AgentController } from './agent.controller.js';
import { AgentService } from './agent.service.js';
import { ProviderRegistry } from './provider.registry.js';

let provider: HandProvider;
let controller: AgentController;
let socket: EventEmitter;

beforeEach(() => {
  provider = new HandProvider();
  const discovery = { getProviders: () => [{ instance: provider, metatype: HandProvider }] };
  const registry = new ProviderRegistry(discovery as unknown as DiscoveryService, new Reflector());
  const agents = new AgentService(registry);
  agents.onModuleInit();
  controller = new AgentController(agents);
  socket = new EventEmitter();
});

/** One call over a connection that is kept. */
function execute(key = 'hand'): ReturnType<AgentController['execute']> {
  const request = { raw: { socket }, headers: {}, id: 'req_1' } as unknown as FastifyRequest;
  return controller.execute(key, { input: 1 }, { namespace: 'default' } as never, request);
}

const lastCall = (): Call => provider.calls.at(-1) as Call;

it('answers output, usage and cost', async () => {
  const answer = execute();
  lastCall().complete('done', { usage: { inputTokens: 2 }, costMicros: 5 });

  expect(await answer).toEqual({ output: 'done', usage: { inputTokens: 2 }, costUsd: 0.000005 });
});

it('aborts the call when the connection closes', async () => {
  const answer = execute();
  socket.emit('close');

  expect(lastCall().isAborted).toBe(true);
  await expect(answer).rejects.toMatchObject({ failure: { code: 'agent.crashed' } });
});

it('leaves nothing on a connection that carries many calls, however they end', async () => {
  for (let n = 0; n < 20; n += 1) {
    const completed = execute();
    lastCall().complete();
    await completed;
    const failed = execute();
    lastCall().fail();
    await expect(failed).rejects.toMatchObject({ failure: { code: 'agent.overloaded' } });
    await expect(execute('nobody')).rejects.toMatchObject({ failure: { code: 'agent.not-found' } });
  }

  expect(socket.listenerCount('close')).toBe(0);
});
