import { hasKeyInQuery, isLoopback, keyOfHeaders, refuseWhileOpen } from './access.js';

describe('isLoopback', () => {
  it.each([['localhost'], ['LOCALHOST'], ['127.0.0.1'], ['127.9.8.7'], ['::1'], ['[::1]']])(
    'takes %s',
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );

  it.each([
    ['0.0.0.0'],
    ['::'],
    ['10.0.0.1'],
    ['localhost.example.org'],
    ['127.0.0.1.example.org'],
    ['128.0.0.1'],
    [''],
  ])('refuses %j', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('refuseWhileOpen', () => {
  it.each([
    ['localhost:3000', undefined],
    ['127.0.0.1', undefined],
    ['[::1]:3000', undefined],
    ['localhost:3000', 'http://localhost:3000'],
    ['LocalHost:3000', 'http://localhost:3000'],
  ])('serves host %s with origin %s', (host, origin) => {
    expect(refuseWhileOpen({ host, origin })).toBeUndefined();
  });

  it.each([
    [undefined, undefined],
    ['example.org', undefined],
    ['localhost.example.org:3000', undefined],
    ['localhost:3000', 'https://example.org'],
    ['localhost:3000', 'http://localhost:5173'],
    ['localhost:3000', 'null'],
    ['localhost:3000', 'file://localhost:3000'],
  ])('refuses host %s with origin %s', (host, origin) => {
    expect(refuseWhileOpen({ host, origin })).toMatchObject({ code: 'auth.forbidden', kind: 'forbidden' });
  });
});

describe('keyOfHeaders', () => {
  it.each([
    ['Bearer ens_a', undefined, 'ens_a'],
    ['bearer  ens_a ', undefined, 'ens_a'],
    [undefined, 'ens_b', 'ens_b'],
    ['Bearer ens_a', 'ens_b', 'ens_a'],
    ['Basic abc', undefined, undefined],
    ['Bearer a b', undefined, undefined],
    [undefined, undefined, undefined],
    [`Bearer ${'a'.repeat(513)}`, undefined, undefined],
  ])('reads %s and %s', (authorization, apiKey, expected) => {
    expect(keyOfHeaders(authorization, apiKey)).toBe(expected);
  });
});

describe('hasKeyInQuery', () => {
  it.each([
    ['/runs?access_token=x', true],
    ['/runs?limit=1&api_key=x', true],
    ['/runs?x=ens_abc', true],
    ['/runs?tag=token', false],
    ['/runs', false],
  ])('of %s is %s', (url, expected) => {
    expect(hasKeyInQuery(url)).toBe(expected);
  });
});
