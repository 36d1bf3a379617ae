import { isRedirect, nextHop, type Hop } from './redirect.js';

const aHop = (more: Partial<Hop> = {}): Hop => ({
  url: new URL('http://a.test/one'),
  method: 'POST',
  headers: new Headers({
    authorization: 'Bearer x',
    'x-custom': 'x',
    accept: 'text/html',
    'content-type': 'text/plain',
  }),
  body: 'text',
  ...more,
});

const next = (status: number, location: string, more: Partial<Hop> = {}): Hop => {
  const hop = nextHop(aHop(more), status, location);
  if (typeof hop === 'string') throw new Error(hop);
  return hop;
};

it.each([
  [301, 'POST', 'GET'],
  [302, 'POST', 'GET'],
  [303, 'POST', 'GET'],
  [303, 'PUT', 'GET'],
  [303, 'HEAD', 'HEAD'],
  [301, 'PUT', 'PUT'],
  [302, 'DELETE', 'DELETE'],
  [307, 'POST', 'POST'],
  [308, 'POST', 'POST'],
])('%d turns %s into %s', (status, method, expected) => {
  const hop = next(status, '/two', { method });

  expect(hop.method).toBe(expected);
  expect(hop.body).toBe(expected === method ? 'text' : undefined);
  expect(hop.headers.has('content-type')).toBe(expected === method);
});

it('keeps all headers within an origin', () => {
  const hop = next(307, '/two?q=1');

  expect(hop.url.href).toBe('http://a.test/two?q=1');
  expect(Object.fromEntries(hop.headers)).toEqual(Object.fromEntries(aHop().headers));
});

it.each(['http://b.test/', 'https://a.test/', 'http://a.test:81/', '//b.test'])(
  'takes nothing that may be a credential to %s',
  (location) => {
    expect(Object.fromEntries(next(307, location).headers)).toEqual({
      accept: 'text/html',
      'content-type': 'text/plain',
    });
  },
);

it('refuses what is no address, and a stream that it would have to send again', () => {
  expect(nextHop(aHop(), 302, 'http://[')).toMatch(/not an address/);
  expect(nextHop(aHop({ body: new ReadableStream() }), 307, '/two')).toMatch(/only once/);
  expect(nextHop(aHop({ body: new ReadableStream() }), 303, '/two')).toMatchObject({ method: 'GET' });
});

it('is a redirect with a status and a location only', () => {
  expect([301, 302, 303, 307, 308].every((status) => isRedirect(status, '/'))).toBe(true);
  expect(isRedirect(302, null)).toBe(false);
  expect(isRedirect(300, '/') || isRedirect(304, '/') || isRedirect(200, '/')).toBe(false);
});
