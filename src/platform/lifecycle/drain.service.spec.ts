import { Logger } from '@nestjs/common';

import { DrainService } from './drain.service.js';

describe('DrainService', () => {
  beforeAll(() => {
    Logger.overrideLogger(false);
  });

  it('is not draining before it is told', () => {
    expect(new DrainService().isDraining).toBe(false);
  });

  it('runs all hooks at once, once, and survives one that fails', async () => {
    const drain = new DrainService();
    const { promise: gate, resolve } = Promise.withResolvers<undefined>();
    const calls: string[] = [];
    drain.register({ name: 'a', drain: () => gate });
    drain.register({ name: 'b', drain: () => Promise.reject(new Error('stuck')) });
    drain.register({
      name: 'c',
      drain: () => {
        calls.push('c');
        resolve(undefined);
        return Promise.resolve();
      },
    });

    await Promise.all([drain.drain(60_000), drain.drain(60_000)]);

    expect(drain.isDraining).toBe(true);
    expect(calls).toEqual(['c']);
  });

  it('tells hooks when the time of grace is over', async () => {
    const drain = new DrainService();
    let isOver = false;
    drain.register({
      name: 'slow',
      drain: (deadline) =>
        new Promise((resolve) => {
          deadline.addEventListener('abort', () => {
            isOver = true;
            resolve();
          });
        }),
    });

    await drain.drain(1);

    expect(isOver).toBe(true);
  });
});
