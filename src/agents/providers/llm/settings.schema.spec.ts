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
  ])('finds nothing wrong with %s', (_what, settings) => {
    expect(checkSettings(settings)).toEqual([]);
  });

  it.each<[string, JsonObject, readonly string[]]>([
    ['no provider', {}, ['/provider']],
    ['an unknown provider', { provider: 'hal' }, ['/provider']],
    ['an unknown field', { provider: 'anthropic', apiKey: 'sk-1' }, ['/apiKey']],
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
      message: 'Expected `provider`: anthropic',
    });
  });
});

describe('llmSettingsSchema', () => {
  it('can be published as JSON Schema', () => {
    expect(z.toJSONSchema(llmSettingsSchema)).toMatchObject({
      oneOf: [{ properties: { provider: { const: 'anthropic' } }, additionalProperties: false }],
    });
  });
});
