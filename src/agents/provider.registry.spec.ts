import { Injectable, Module, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';

import type { Issue } from '../kernel/failure.js';
import type { JsonObject } from '../kernel/json.js';
import { AgentProvider, type AgentOutcome, type AgentPart } from './agent.provider.js';
import { BuiltInAgents } from './built-in-agents.js';
import { Provider } from './provider.decorator.js';
import { ProviderRegistry } from './provider.registry.js';

class Quiet extends AgentProvider {
  override check(settings: JsonObject): readonly Issue[] {
    return 'bad' in settings ? [{ pointer: '/bad', code: 'field.unknown', message: 'is not known' }] : [];
  }

  override settingsSchema(): JsonObject {
    return {};
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is a stream; this one streams nothing
  override async *invoke(): AsyncGenerator<AgentPart, AgentOutcome, void> {
    return { status: 'completed', output: null };
  }
}

const agent = (
  key: string,
  settings: JsonObject = {},
): { key: string; description: string; settings: JsonObject } => ({
  key,
  description: `the agent ${key}`,
  settings,
});

@Injectable()
@Provider({ kind: 'shout', description: 'Upper case', agents: [agent('shout'), agent('scream')] })
class ShoutProvider extends Quiet {}

@Injectable()
@Provider({ kind: 'whisper', description: 'Lower case' })
class WhisperProvider extends Quiet {}

@Injectable()
@Provider({ kind: 'shout', description: 'The same kind' })
class LoudProvider extends Quiet {}

@Injectable()
@Provider({ kind: 'copy', description: 'An agent of the same key', agents: [agent('shout')] })
class CopyProvider extends Quiet {}

@Injectable()
@Provider({ kind: 'broken', description: 'Bad settings', agents: [agent('broken', { bad: 1 })] })
class BrokenProvider extends Quiet {}

@Injectable()
@Provider({ kind: 'stranger', description: 'No provider at all' })
class StrangerProvider {}

@Injectable()
class UnmarkedProvider extends Quiet {}

/** An application of these providers, each in a module of its own. */
async function registryOf(...providers: readonly Type[]): Promise<[ProviderRegistry, BuiltInAgents]> {
  const modules = providers.map((provider) => {
    @Module({ providers: [provider] })
    class Feature {}
    return Feature;
  });
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule, ...modules],
    providers: [ProviderRegistry, BuiltInAgents],
  }).compile();
  await module.init();
  await module.close();
  return [module.get(ProviderRegistry), module.get(BuiltInAgents)];
}

describe('the registry', () => {
  it('finds every marked provider wherever it is provided, by its kind', async () => {
    const [registry] = await registryOf(ShoutProvider, WhisperProvider, UnmarkedProvider);

    expect(registry.list().map(({ kind, description }) => [kind, description])).toEqual([
      ['shout', 'Upper case'],
      ['whisper', 'Lower case'],
    ]);
    expect(registry.find('shout')?.provider).toBeInstanceOf(ShoutProvider);
    expect(registry.find('whisper')?.agents).toEqual([]);
  });

  it.each(['constructor', '__proto__', 'unmarked', ''])('knows no kind that nobody has: %j', async (kind) => {
    const [registry] = await registryOf(ShoutProvider);

    expect(registry.find(kind)).toBeUndefined();
  });

  it.each<readonly [string, readonly Type[], RegExp]>([
    [
      'two providers of one kind',
      [ShoutProvider, LoudProvider],
      /two providers of kind "shout": ShoutProvider and LoudProvider/,
    ],
    [
      'a class that is no provider',
      [StrangerProvider],
      /StrangerProvider is marked @Provider\(\{ kind: 'stranger' \}\) but does not extend AgentProvider/,
    ],
    [
      'bad settings of an agent that comes with it',
      [BrokenProvider],
      /agent "broken" of BrokenProvider: settings\/bad: is not known/,
    ],
    ['two agents of one key', [ShoutProvider, CopyProvider], /two built-in agents have the key "shout"/],
  ])('stops the start for %s', async (_, providers, message) => {
    await expect(registryOf(...providers)).rejects.toThrow(message);
  });
});

describe('the agents that come with providers', () => {
  it('are listed by key', async () => {
    const [, agents] = await registryOf(ShoutProvider, WhisperProvider);

    expect(agents.list().map(({ key, kind, version, isBuiltIn }) => [key, kind, version, isBuiltIn])).toEqual(
      [
        ['scream', 'shout', 1, true],
        ['shout', 'shout', 1, true],
      ],
    );
  });

  it.each(['constructor', '__proto__', 'nobody'])('are not found by another key: %s', async (key) => {
    const [, agents] = await registryOf(ShoutProvider);

    expect(agents.find(key)).toBeUndefined();
  });
});
