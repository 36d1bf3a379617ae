import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { RateClass } from '../../src/platform/http/rate-class.decorator.js';
import { DrainService } from '../../src/platform/lifecycle/drain.service.js';
import { shutDown } from '../../src/platform/lifecycle/shut-down.js';
import { startApp } from '../support/app.js';

/** A stream that its client never ends. */
@Controller('stream')
class StreamController {
  @Get()
  @RateClass('read')
  open(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200).write('open');
  }
}

@Module({ controllers: [StreamController] })
class StreamModule {}

describe('shutDown', () => {
  it('takes no new connections, lets work end, and closes what is left open', async () => {
    const { app, url, close } = await startApp({ imports: [StreamModule] });
    const { promise: work, resolve: endWork } = Promise.withResolvers<undefined>();
    app.get(DrainService).register({ name: 'work', drain: () => work });
    const stream = await fetch(`${url}/api/v1/stream`);

    const ended = shutDown(app);
    const { port } = new URL(url);
    await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
    endWork(undefined);

    expect(await ended).toBe(true);
    await expect(stream.text()).rejects.toThrow();
    await close();
  });

  it('goes on without work that does not end in time', async () => {
    const { app, close } = await startApp({ env: { SHUTDOWN_GRACE_MS: '0' } });
    app.get(DrainService).register({ name: 'work', drain: () => new Promise(() => undefined) });

    expect(await shutDown(app)).toBe(false);
    await close();
  });
});
