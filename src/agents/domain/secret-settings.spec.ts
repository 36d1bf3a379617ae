import type { JsonObject } from '../../kernel/json.js';
import { HIDDEN, hideSecrets, restoreSecrets, secretsIn, withoutSecrets } from './secret-settings.js';

const CANARY = 'canary-4f9a2c';

describe('hideSecrets', () => {
  it.each<readonly [string, JsonObject, JsonObject]>([
    ['a key', { apiKey: CANARY }, { apiKey: HIDDEN }],
    ['a token', { nested: [{ access_token: CANARY }] }, { nested: [{ access_token: HIDDEN }] }],
    ['a password', { db: { passphrase: CANARY } }, { db: { passphrase: HIDDEN } }],
    ['texts below', { credentials: { a: [CANARY] } }, { credentials: { a: [HIDDEN] } }],
    ['a header', { headers: { 'X-Whatever': CANARY } }, { headers: { 'X-Whatever': HIDDEN } }],
    [
      'a user in an address',
      { url: `https://u:${CANARY}@host/p?a=1` },
      { url: `https://${HIDDEN}@host/p?a=1` },
    ],
    [
      'a parameter of an address',
      { url: `https://host/p?a=1&api_key=${CANARY}&b=2` },
      { url: `https://host/p?a=1&api_key=${HIDDEN}&b=2` },
    ],
    ['a look', { source: 'call("sk-abcdefghijklmnop")' }, { source: `call("${HIDDEN}")` }],
    ['a bearer', { text: `Bearer ${CANARY}` }, { text: `Bearer ${HIDDEN}` }],
    ['a private key', { pem: '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----' }, { pem: HIDDEN }],
  ])('hides %s', (_, settings, shown) => {
    expect(hideSecrets(settings)).toEqual(shown);
  });

  it.each<readonly [string, JsonObject]>([
    ['a name of a secret', { auth: { type: 'bearer', secret: 'my-key' } }],
    ['a reference', { headers: { Authorization: 'Bearer {{ secrets.key }}' }, apiKey: '{{ secrets.a }}' }],
    ['harmless headers', { headers: { Accept: 'application/json', 'Content-Type': 'text/plain' } }],
    ['other settings', { maxOutputTokens: 5, model: 'm', url: 'https://host/?page=2', text: 'a token' }],
    ['keys of any name', JSON.parse('{"__proto__":{"a":"b"},"constructor":"c"}') as JsonObject],
  ])('shows %s', (_, settings) => {
    expect(JSON.stringify(hideSecrets(settings))).toBe(JSON.stringify(settings));
  });

  it('takes no time over a text made to hold it up', () => {
    const hostile = [`?${'token'.repeat(100_000)}`, 'eyJ'.repeat(100_000), '?a=&'.repeat(100_000)];
    const text = hostile.join('\n');

    expect(hideSecrets({ text })).toEqual({ text });
  });
});

describe('withoutSecrets', () => {
  it('takes every secret out of a value, and leaves others as they are', () => {
    const secrets = secretsIn({ apiKey: CANARY, token: 'short', password: `${CANARY}-"longer"` });
    const clean = { a: 1 };

    expect(withoutSecrets({ [CANARY]: [`x ${CANARY}-"longer" y`, CANARY] }, secrets)).toEqual({
      [HIDDEN]: [`x ${HIDDEN} y`, HIDDEN],
    });
    expect(withoutSecrets(clean, secrets)).toBe(clean);
    expect(withoutSecrets('short', secrets)).toBe('short');
  });
});

describe('restoreSecrets', () => {
  const present = { apiKey: CANARY, list: [{ token: 'b' }], url: `https://u:${CANARY}@host/` };

  it('means by what is hidden what there is at the same place', () => {
    const sent = { ...hideSecrets(present), model: 'new' };

    expect(restoreSecrets(sent, present)).toEqual({ settings: { ...present, model: 'new' }, issues: [] });
  });

  it('says where something hidden means nothing', () => {
    const sent = { other: HIDDEN, url: `https://${HIDDEN}@elsewhere/` };

    expect(restoreSecrets(sent, present).issues.map(({ pointer }) => pointer)).toEqual(['/other', '/url']);
  });
});
