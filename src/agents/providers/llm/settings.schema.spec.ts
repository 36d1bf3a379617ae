import { z } from 'zod';

import type { JsonObject } from '../../../kernel/json.js';
import { checkSettings, llmSettingsSchema } from './settings.schema.js';

describe('checkSettings', () => {
  it.each<[string, JsonObject]>([
    ['the provider alone', { provider: 'anthropic' }],
    [
      'everything',
      {
        provider: 'anthropic',
        model: 'claude-haiku-4-5',
        system: 'Be brief',
        temperature: 1,
        maxOutputTokens: 4096,
        objectSchema: { type: 'object' },
      },
    ],
    [
      'a compatible endpoint with everything',
      {
        provider: 'openai-compatible',
        model: 'llama-4',
        baseUrl: 'https://models.example/v1',
        apiKey: { secret: 'model-key' },
        system: { template: { name: 'tone', label: 'production' }, variables: { mood: 'glad' } },
        temperature: 2,
        structuredOutputs: false,
        fallbackModels: ['llama-3'],
        maxTurns: 100,
        maxRepairs: 0,
        tools: [
          { type: 'agent', agent: 'strudel', name: 'render', requiresApproval: true },
          { type: 'http', agent: 'weather', inputSchema: { type: 'object' } },
          {
            type: 'mcp',
            server: {
              url: 'https://mcp.example/mcp',
              headers: { 'x-team': 'a', 'x-key': { secret: 'team-key' } },
              auth: { type: 'bearer', secret: 'mcp-token' },
            },
            allow: ['search'],
          },
        ],
      },
    ],
  ])('finds nothing wrong with %s', (_what, settings) => {
    expect(checkSettings(settings)).toEqual([]);
  });

  it.each<[string, JsonObject, readonly string[]]>([
    ['no provider', {}, ['/provider']],
    ['an unknown provider', { provider: 'hal' }, ['/provider']],
    ['an unknown field', { provider: 'anthropic', colour: 'red' }, ['/colour']],
    ['a key that is no secret', { provider: 'anthropic', apiKey: { secret: '' } }, ['/apiKey/secret']],
    [
      'an address without a key of its own',
      { provider: 'anthropic', baseUrl: 'https://proxy.example' },
      ['/apiKey'],
    ],
    [
      'addresses that are none, and a model that is missing',
      { provider: 'openai-compatible', baseUrl: 'https://me:pw@models.example' },
      ['/model', '/baseUrl'],
    ],
    [
      'tools that are none',
      {
        provider: 'anthropic',
        tools: [
          { type: 'shell' },
          { type: 'agent' },
          { type: 'agent', agent: 'a', name: '__proto__' },
          { type: 'mcp', server: { url: 'ftp://x' }, allow: [] },
        ],
      },
      ['/tools/0/type', '/tools/1/agent', '/tools/2/name', '/tools/3/server/url', '/tools/3/allow'],
    ],
    [
      'turns out of range',
      { provider: 'anthropic', maxTurns: 0, maxRepairs: 11 },
      ['/maxTurns', '/maxRepairs'],
    ],
    [
      'a template in a version and under a label',
      { provider: 'anthropic', system: { template: { name: 'a', version: 1, label: 'x' } } },
      ['/system/template'],
    ],
    [
      'values out of range, all at once',
      { provider: 'anthropic', model: '', temperature: -1, maxOutputTokens: 1.5, objectSchema: [] },
      ['/model', '/temperature', '/maxOutputTokens', '/objectSchema'],
    ],
  ])('points at %s', (_what, settings, pointers) => {
    expect(checkSettings(settings).map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('says what it expects and never what it found', () => {
    const [issue] = checkSettings({ provider: 'sk-canary' });

    expect(issue).toEqual({
      pointer: '/provider',
      code: 'field.invalid',
      message: 'Expected `provider`: anthropic or openai-compatible',
    });
  });
});

describe('llmSettingsSchema', () => {
  it('can be published as JSON Schema', () => {
    expect(z.toJSONSchema(llmSettingsSchema)).toMatchObject({
      oneOf: [
        { properties: { provider: { const: 'anthropic' } }, additionalProperties: false },
        { properties: { provider: { const: 'openai-compatible' } }, required: ['provider', 'model'] },
      ],
    });
  });
});
