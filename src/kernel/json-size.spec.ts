import { jsonSize } from './json-size.js';
import type { Json } from './json.js';

describe('the size of a value', () => {
  it.each<readonly [string, Json]>([
    ['a text', 'x'.repeat(1_000)],
    ['a list of texts', Array.from({ length: 100 }, (_, at) => `text number ${String(at)}`)],
    ['nested objects', { a: { b: [{ c: 'deep'.repeat(50) }, null, true] }, ['__proto__']: 'own'.repeat(30) }],
    ['numbers', Array.from({ length: 100 }, (_, at) => at / 7)],
  ])('of %s is about the length of its JSON text', (_, value) => {
    const { length } = JSON.stringify(value);

    expect(jsonSize(value)).toBeGreaterThan(0.8 * length);
    expect(jsonSize(value)).toBeLessThan(1.3 * length);
  });

  it('is not counted further than it matters', () => {
    let reads = 0;
    const list = new Proxy(
      Array.from({ length: 10_000 }, () => 'x'),
      { get: (target, key) => ((reads += 1), Reflect.get(target, key) as unknown) },
    );

    expect(jsonSize(list as Json, 100)).toBeGreaterThan(100);
    expect(reads).toBeLessThan(200);
  });
});
