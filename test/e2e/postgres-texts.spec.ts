/** The one character that PostgreSQL can not keep is refused, or kept out of what is only searched by. */
import type { ProblemDocumentDto } from '../../src/platform/http/dto/problem.dto.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { describeWithPostgres } from '../support/services.js';

describeWithPostgres('U+0000 on PostgreSQL', (url) => {
  let service: RunningApp;
  let api: Api;

  beforeAll(async () => {
    service = await startApp({ env: { DATABASE_URL: url } });
    api = new Api(service.url);
  });

  afterAll(() => service.close());

  it.each([
    '/runs/%00',
    '/templates/%00',
    '/agents/%00',
    '/workflows/%00',
    '/runs?errorText=%00',
    '/runs?tag=%00',
  ])('is refused in GET %s', async (path) => {
    const { status, body } = await api.get<ProblemDocumentDto>(path);

    expect([400, 404]).toContain(status);
    expect(body.code).toMatch(/^store\.text-refused$|^request\.invalid$|\.not-found$/);
  });

  it('is refused in the name of a run', async () => {
    const definition = { name: 'a\0b', steps: [scripted('a', {})] };

    expect(await api.post('/runs', { definition })).toMatchObject({
      status: 400,
      body: { code: 'store.text-refused' },
    });
  });

  it('is kept in inputs and in what an agent says of its failure', async () => {
    const error = { code: 'x.broken', message: 'no\0thing', retryable: false };
    const run = await api.finish({ steps: [scripted('a', { failTimes: 1, error })] }, { input: 'in\0put' });

    expect(run).toMatchObject({
      status: 'failed',
      input: 'in\0put',
      failure: { message: 'step "a" failed: no\0thing' },
    });
    const { body } = await api.get<{ readonly items: readonly { readonly id: string }[] }>(
      '/runs?errorText=thing',
    );
    expect(body.items.map(({ id }) => id)).toEqual([run.id]);
  });
});
