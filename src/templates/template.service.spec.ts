import { ManualClock } from '../../test/support/manual-clock.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { CacheCounts } from '../platform/telemetry/cache-counts.js';
import { UuidSource } from '../platform/ids/id.source.js';
import { InProcessHotStore } from '../storage/memory/in-process-hot.store.js';
import { MemoryTemplateStore } from '../storage/memory/memory-template.store.js';
import type { TemplateBody, TemplateVersion } from './domain/template.js';
import { ReferenceChecks } from './reference.check.js';
import { TemplateCompiler } from './template-compiler.js';
import { TemplateSource } from './template-source.js';
import { TemplateService, type TemplateEdit } from './template.service.js';

const EDIT: TemplateEdit = { namespace: 'default', reference: 'greeting', author: 'key_1' };

/** A record in which another process saves just before, as often as told. */
class ContendedStore extends MemoryTemplateStore {
  rivals = 0;

  override async addVersion(namespace: string, id: string, version: TemplateVersion): Promise<boolean> {
    if (this.rivals > 0) {
      this.rivals -= 1;
      const body = { ...version.body, description: `rival ${String(version.version)}` };
      await super.addVersion(namespace, id, { ...version, body, author: 'rival' });
    }
    return super.addVersion(namespace, id, version);
  }
}

function bodyOf(content: string): TemplateBody {
  return { kind: 'text', content, variables: [], tags: [] };
}

describe('TemplateService, when another process saves at the same time', () => {
  let store: ContendedStore;
  let service: TemplateService;

  beforeEach(async () => {
    const clock = new ManualClock();
    store = new ContendedStore();
    const hot = new InProcessHotStore(clock);
    const source = new TemplateSource(store, hot, { cacheTtlMs: 60_000 }, new CacheCounts());
    const compiler = new TemplateCompiler(source, new JsonSchemaService());
    service = new TemplateService(store, source, compiler, new ReferenceChecks(), clock, new UuidSource());
    await service.create({ namespace: 'default', name: 'greeting', body: bodyOf('one'), author: 'key_1' });
  });

  const shout = (latest: TemplateBody): TemplateBody => ({
    ...latest,
    ...bodyOf('two'),
    description: `${latest.description ?? 'none'}!`,
  });

  it('makes its change again, of what the other one saved', async () => {
    store.rivals = 1;

    const { version, content } = await service.update(EDIT, shout);

    expect([version, content.body.description]).toEqual([3, 'rival 2!']);
  });

  it('refuses it when it was based on the version before', async () => {
    store.rivals = 1;

    const update = service.update({ ...EDIT, accepted: [1] }, shout);

    await expect(update).rejects.toMatchObject({
      failure: { code: 'version.stale', details: { version: 2 } },
    });
  });

  it('gives up after 20 times, and says that it may be tried again', async () => {
    store.rivals = 20;

    const update = service.update(EDIT, shout);

    await expect(update).rejects.toMatchObject({ failure: { code: 'template.contended', retryable: true } });
    expect(await service.get('default', 'greeting', {})).toMatchObject({ version: 21 });
  });
});
