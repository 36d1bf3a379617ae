import { memoryStores } from '../../test/support/memory-stores.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { InProcessHotStore } from '../storage/memory/in-process-hot.store.js';
import { CacheCounts } from '../platform/telemetry/cache-counts.js';
import type { TemplateVersion } from './domain/template.js';
import { TemplateCompiler } from './template-compiler.js';
import { TemplateSource } from './template-source.js';

const ID = 'tpl_00000000000070008000000000000001';

describe('TemplateCompiler', () => {
  const { templates: store } = memoryStores();
  const hot = new InProcessHotStore(new ManualClock());
  const source = new TemplateSource(store, hot, { cacheTtlMs: 1_000 }, new CacheCounts());
  const compiler = new TemplateCompiler(source, new JsonSchemaService());

  function aVersion(content: string): TemplateVersion {
    const body = { kind: 'text', content, variables: [], tags: [] } as const;
    return { version: 1, body, undeclared: [], author: 'key_1', createdAt: 0 };
  }

  it('compiles a stored version once, however many ask at the same time', async () => {
    await store.create('default', { id: ID, name: 'greeting', first: aVersion('Hello {{ name }}') });
    const found = await source.get('default', 'greeting', {});
    const first = await compiler.stored('default', found);

    const later = await Promise.all(Array.from({ length: 10 }, () => compiler.stored('default', found)));

    expect(later.filter(({ program }) => program !== first.program)).toEqual([]);
  });

  it('compiles it again when what it includes is another version', async () => {
    const inner = { id: ID.replace(/1$/, '2'), name: 'inner' };
    await store.create('default', { ...inner, first: aVersion('one') });
    const outer = { id: ID.replace(/1$/, '3'), name: 'outer' };
    await store.create('default', { ...outer, first: aVersion('{% render "inner" %}') });
    const found = await source.get('default', 'outer', {});
    const before = await compiler.stored('default', found);

    await store.addVersion('default', inner.id, { ...aVersion('two'), version: 2 });
    await source.forget('default', inner);

    const after = await compiler.stored('default', found);
    expect(after.program).not.toBe(before.program);
    expect(after.source.includes['inner']?.content).toBe('two');
  });

  it('refuses a content that includes more than 100 others, before it loads them', async () => {
    const findVersion = jest.spyOn(store, 'findVersion');
    const content = Array.from({ length: 101 }, (_, index) => `{% render "inner@${String(index + 1)}" %}`);

    const compiled = compiler.compile('default', { kind: 'text', content: content.join(''), variables: [] });

    await expect(compiled).rejects.toMatchObject({
      failure: {
        code: 'template.invalid',
        message: expect.stringContaining('at most 100 others'),
        issues: [{ pointer: '/content' }],
      },
    });
    expect(findVersion).not.toHaveBeenCalled();
  });
});
