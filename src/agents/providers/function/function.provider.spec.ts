import { Module, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';

import type { Json } from '../../../kernel/json.js';
import { AgentFunction, type AgentFunctionExecutor } from '../../agent-function.decorator.js';
import { ProviderRegistry } from '../../provider.registry.js';
import { FunctionProvider } from './function.provider.js';

@AgentFunction({ key: 'tea', description: 'Makes tea.', inputSchema: { type: 'string' } })
class Tea implements AgentFunctionExecutor {
  execute(input: Json): Json {
    return input;
  }
}

@AgentFunction({ key: 'tea', description: 'Another of the same key.' })
class OtherTea implements AgentFunctionExecutor {
  execute(): Json {
    return null;
  }
}

@AgentFunction({ key: 'idle', description: 'Does nothing.' })
class Idle {}

/** An application of these classes, each in a module of its own. */
async function registryOf(...functions: readonly Type[]): Promise<ProviderRegistry> {
  const modules = functions.map((provider) => {
    @Module({ providers: [provider] })
    class Feature {}
    return Feature;
  });
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule, ...modules],
    providers: [ProviderRegistry, FunctionProvider],
  }).compile();
  await module.init();
  await module.close();
  return module.get(ProviderRegistry);
}

it('makes an agent of every marked class, wherever it is provided', async () => {
  const registry = await registryOf(Tea);

  expect(registry.find('function')?.agents).toEqual([
    {
      key: 'tea',
      description: 'Makes tea.',
      inputSchema: { type: 'string' },
      settings: { function: 'tea' },
    },
  ]);
});

it.each<[string, readonly Type[], RegExp]>([
  [
    'two functions of one key',
    [Tea, OtherTea],
    /two agent functions have the key "tea": Tea and OtherTea. Give one of them another key/,
  ],
  ['a class that does nothing', [Idle], /Idle is marked @AgentFunction but has no method execute/],
])('stops the start for %s', async (_, functions, message) => {
  await expect(registryOf(...functions)).rejects.toThrow(message);
});

it.each([
  [{}, '/function', /Expected the key of an agent function of this service: tea/],
  [{ function: 'coffee' }, '/function', /tea/],
  [{ function: '__proto__' }, '/function', /tea/],
  [{ function: 'tea', cups: 2 }, '/cups', /Unknown field/],
])('refuses the settings %j', async (settings, pointer, message) => {
  const registry = await registryOf(Tea);

  expect(registry.find('function')?.provider.check(settings)).toMatchObject([
    { pointer, message: expect.stringMatching(message) as unknown },
  ]);
});
