import { randomBytes } from 'node:crypto';

import { SecretBox } from './secret-box.js';

const place = { namespace: 'default', name: 'a' };
const box = new SecretBox(randomBytes(32));

it.each(['text', '', 'ü💡\0\n', 'x'.repeat(16_384)])('opens what it sealed', (value) => {
  const sealed = box.seal(value, place);

  expect(box.open(sealed, place)).toBe(value);
  expect(value !== '' && sealed.includes(value)).toBe(false);
});

it('seals one value differently each time', () => {
  expect(box.seal('text', place)).not.toBe(box.seal('text', place));
});

it('opens nothing of another key, another place, or that was changed', () => {
  const sealed = box.seal('text', place);
  const [version = '', key = '', body = ''] = sealed.split('.');
  const changed = Buffer.from(body, 'base64url');
  changed.writeUInt8(changed.readUInt8(13) ^ 1, 13);

  expect(new SecretBox(randomBytes(32)).open(sealed, place)).toBeUndefined();
  expect(box.open(sealed, { ...place, name: 'b' })).toBeUndefined();
  expect(box.open(sealed, { ...place, namespace: 'other' })).toBeUndefined();
  expect(box.open([version, key, changed.toString('base64url')].join('.'), place)).toBeUndefined();
  for (const text of ['', 'v1', `v2.${key}.${body}`, `${version}.${key}.${body.slice(0, 20)}`])
    expect(box.open(text, place)).toBeUndefined();
});
