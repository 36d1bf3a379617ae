import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  const pace = { perSecond: 10, burst: 3 };

  function takeMany(bucket: TokenBucket, count: number, now: number): number {
    return Array.from({ length: count }, () => bucket.take(now)).filter(Boolean).length;
  }

  it('allows a burst after a silence', () => {
    expect(takeMany(new TokenBucket(pace, 0), 5, 0)).toBe(3);
  });

  it('fills again at its pace, up to a burst', () => {
    const bucket = new TokenBucket(pace, 0);
    takeMany(bucket, 3, 0);

    expect(takeMany(bucket, 5, 200)).toBe(2);
    expect(takeMany(bucket, 5, 60_000)).toBe(3);
  });

  it('says when the next may be taken', () => {
    const bucket = new TokenBucket(pace, 0);
    takeMany(bucket, 3, 0);

    expect(bucket.waitMs(0)).toBe(100);
    expect(bucket.waitMs(60)).toBe(40);
    expect(bucket.take(100)).toBe(true);
  });

  it('charges nothing for a refusal', () => {
    const bucket = new TokenBucket(pace, 0);
    takeMany(bucket, 1_000, 0);

    expect(bucket.take(100)).toBe(true);
  });
});
