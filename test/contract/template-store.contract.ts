import type { TemplateVersion } from '../../src/templates/domain/template.js';
import type { NewTemplate } from '../../src/templates/template.store.js';
import { useRecord, type RecordEngine } from './record-scene.js';

const AT = 1_700_000_000_000;

function aVersion(version: number, fields: Partial<TemplateVersion> = {}): TemplateVersion {
  return {
    version,
    body: { kind: 'text', content: `Hello {{ name }} ${String(version)}`, variables: [], tags: [] },
    undeclared: ['name'],
    author: 'key_1',
    createdAt: AT + version,
    ...fields,
  };
}

function aTemplate(number: number, fields: Partial<NewTemplate> = {}): NewTemplate {
  return {
    id: `tpl_${String(number).padStart(32, '0')}`,
    name: `t-${String(number)}`,
    first: aVersion(1),
    ...fields,
  };
}

/** What every `TemplateStore` promises. */
export function templateStoreContract(engine: RecordEngine): void {
  describe(`TemplateStore on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const store = (): typeof scene.stores.templates => scene.stores.templates;
    const { id } = aTemplate(1);

    const tagged = (number: number, tags: readonly string[], description?: string): NewTemplate => {
      const { body, ...version } = aVersion(1);
      const described = description === undefined ? {} : { description };
      return aTemplate(number, { first: { ...version, body: { ...body, ...described, tags } } });
    };

    describe('create', () => {
      it('keeps a template with its first version', async () => {
        const body: TemplateVersion['body'] = {
          kind: 'chat',
          messages: [{ role: 'user', content: 'Hi {{ __proto__ }}' }, { placeholder: 'history' }],
          variables: [{ name: 'history', type: 'messages', default: [] }],
          description: 'é "quoted"',
          tags: ['b', 'a'],
        };
        const first = aVersion(1, { body, changeNote: 'first' });

        expect(await store().create('default', aTemplate(1, { first }))).toBe(true);

        expect(await store().find('default', { id })).toEqual({
          ...{ id, name: 't-1', kind: 'chat', description: 'é "quoted"', tags: ['b', 'a'], latest: 1 },
          ...{ labels: [], createdAt: AT + 1, updatedAt: AT + 1 },
        });
        expect(await store().find('default', { name: 't-1' })).toMatchObject({ id });
        expect(await store().findVersion('default', id, 1)).toEqual(first);
      });

      it('refuses a name that is taken in the namespace, and changes nothing', async () => {
        await store().create('default', aTemplate(1));

        expect(await store().create('default', { ...aTemplate(2), name: 't-1' })).toBe(false);
        expect(await store().create('other', { ...aTemplate(3), name: 't-1' })).toBe(true);

        expect(await store().find('default', { id: aTemplate(2).id })).toBeUndefined();
        expect(await store().findVersion('default', aTemplate(2).id, 1)).toBeUndefined();
      });

      it('refuses an id that exists in any namespace', async () => {
        await store().create('default', aTemplate(1));

        expect(await store().create('other', { ...aTemplate(1), name: 'another' })).toBe(false);
      });
    });

    describe('addVersion', () => {
      it('adds the next version, and the head is as it says', async () => {
        await store().create('default', tagged(1, ['old']));
        const { body, ...version } = aVersion(2);
        const second = { ...version, body: { ...body, description: 'second', tags: ['new'] } };

        expect(await store().addVersion('default', id, second)).toBe(true);

        expect(await store().findVersion('default', id, 2)).toEqual(second);
        expect(await store().find('default', { id })).toMatchObject({
          ...{ description: 'second', tags: ['new'], latest: 2, createdAt: AT + 1, updatedAt: AT + 2 },
        });
        const page = { limit: 10 };
        expect((await store().list('default', { tag: 'old' }, page)).items).toEqual([]);
        expect((await store().list('default', { tag: 'new' }, page)).items).toHaveLength(1);
      });

      it.each([
        ['the number that there is', 1, 'default'],
        ['a number after a gap', 3, 'default'],
        ['a template of another namespace', 2, 'other'],
      ])('refuses %s', async (_, number, namespace) => {
        await store().create('default', aTemplate(1));

        expect(await store().addVersion(namespace, id, aVersion(number))).toBe(false);

        expect(await store().find('default', { id })).toMatchObject({ latest: 1 });
        expect((await store().listVersions('default', id, { limit: 10 })).items).toHaveLength(1);
      });

      it('gives a number to one of many that ask for it at the same time', async () => {
        await store().create('default', aTemplate(1));
        const authors = Array.from({ length: 20 }, (_, index) => `key_${String(index)}`);

        const held = await Promise.all(
          authors.map((author) => store().addVersion('default', id, aVersion(2, { author }))),
        );

        expect(held.filter(Boolean)).toHaveLength(1);
        expect(await store().findVersion('default', id, 2)).toMatchObject({
          author: authors[held.indexOf(true)],
        });
      });
    });

    it('finds nothing in another namespace', async () => {
      await store().create('default', aTemplate(1));

      expect(await store().find('other', { id })).toBeUndefined();
      expect(await store().find('other', { name: 't-1' })).toBeUndefined();
      expect(await store().findVersion('other', id, 1)).toBeUndefined();
      expect((await store().list('other', {}, { limit: 10 })).items).toEqual([]);
      expect((await store().listVersions('other', id, { limit: 10 })).items).toEqual([]);
    });

    describe('list', () => {
      it('gives pages, newest first, with labels', async () => {
        for (const number of [1, 2, 3]) await store().create('default', aTemplate(number));
        const mark = { label: 'production', version: 1, movedBy: 'key_1', movedAt: AT };
        await store().moveLabel('default', aTemplate(2).id, mark);

        const first = await store().list('default', {}, { limit: 2 });
        const second = await store().list('default', {}, { limit: 2, cursor: first.nextCursor ?? '' });

        expect(first.items.map(({ name }) => name)).toEqual(['t-3', 't-2']);
        expect(first.items.map(({ labels }) => labels)).toEqual([[], [mark]]);
        expect(second).toEqual({ items: [expect.objectContaining({ name: 't-1' })] });
        expect(await store().list('default', {}, { limit: 2, cursor: '!' })).toEqual({ items: [] });
      });

      it.each([
        [{ tag: 'a' }, ['t-3', 't-1']],
        [{ search: 'T-2' }, ['t-2']],
        [{ search: 'LETTER' }, ['t-3', 't-2']],
        [{ search: '100%' }, ['t-3']],
        [{ search: '%' }, ['t-3']],
        [{ search: String.raw`_\ ` }, []],
        [{ tag: 'a', search: 'letter' }, ['t-3']],
        [{ search: 'Änderung' }, ['t-4']],
        [{ search: 'ÄNDERUNG ΣΟΦΟΣ' }, ['t-4']],
      ])('finds by %j', async (filter, names) => {
        await store().create('default', tagged(1, ['a', 'b']));
        await store().create('default', tagged(2, [], 'A letter'));
        await store().create('default', tagged(3, ['a'], 'Letters, 100% so'));
        await store().create('default', tagged(4, [], 'ÄndErUnG ΣΟΦΟΣ'));

        const { items } = await store().list('default', filter, { limit: 10 });

        expect(items.map(({ name }) => name)).toEqual(names);
      });
    });

    describe('findQuoting', () => {
      const saying = (number: number, content: string): NewTemplate => {
        const { body, ...version } = aVersion(1);
        return aTemplate(number, { first: { ...version, body: { ...body, content } as typeof body } });
      };

      it.each([
        ['in double quotes', '{% render "a_b" %}'],
        ['in single quotes', "{% render 'a_b@production' %}"],
        ['after a line feed', 'x\n{%- include "a_b" -%}'],
      ])('finds a name %s', async (_, content) => {
        await store().create('default', saying(1, content));

        expect(await store().findQuoting('default', 'a_b')).toEqual({
          ...{ id, name: 't-1', version: 1, body: saying(1, content).first.body },
        });
        expect(await store().findQuoting('other', 'a_b')).toBeUndefined();
      });

      it.each([' a_b', '{% render "axb" %}', '"b_a_b"', '"A-B"'])(
        'does not find it in %j',
        async (content) => {
          await store().create('default', saying(1, content));

          expect(await store().findQuoting('default', 'a_b')).toBeUndefined();
        },
      );

      it('goes through templates and the versions of each, newest first', async () => {
        const { body } = saying(1, '"x"').first;
        await store().create('default', saying(2, '"x"'));
        await store().create('default', saying(1, '"x"'));
        await store().addVersion('default', id, aVersion(2, { body }));
        const found: string[] = [];

        for (let next = await store().findQuoting('default', 'x'); next !== undefined;) {
          found.push(`${next.name} ${String(next.version)}`);
          next = await store().findQuoting('default', 'x', next);
        }

        expect(found).toEqual(['t-2 1', 't-1 2', 't-1 1']);
        const after = { id: aTemplate(2).id, version: 0 };
        expect(await store().findQuoting('default', 'x', after)).toMatchObject({ name: 't-1', version: 2 });
      });
    });

    it('lists versions in pages, newest first, without their text', async () => {
      await store().create('default', aTemplate(1));
      for (const number of [2, 3, 4]) await store().addVersion('default', id, aVersion(number));

      const first = await store().listVersions('default', id, { limit: 3 });
      const second = await store().listVersions('default', id, { limit: 3, cursor: first.nextCursor ?? '' });

      expect(first.items.map(({ version }) => version)).toEqual([4, 3, 2]);
      expect(second).toEqual({
        items: [{ version: 1, kind: 'text', author: 'key_1', createdAt: AT + 1 }],
      });
    });

    describe('labels', () => {
      const mark = { label: 'production', version: 1, movedBy: 'key_1', movedAt: AT };

      it('move from version to version with a reason', async () => {
        await store().create('default', aTemplate(1));
        await store().addVersion('default', id, aVersion(2));
        const staging = { ...mark, label: 'staging' };
        const moved = { ...mark, version: 2, reason: 'reads better', movedBy: 'key_2', movedAt: AT + 9 };

        for (const one of [staging, mark, moved]) {
          expect(await store().moveLabel('default', id, one)).toBe(true);
        }

        expect((await store().find('default', { id }))?.labels).toEqual([moved, staging]);
      });

      it('move to no version that does not exist', async () => {
        await store().create('default', aTemplate(1));

        expect(await store().moveLabel('default', id, { ...mark, version: 2 })).toBe(false);
        expect(await store().moveLabel('other', id, mark)).toBe(false);
        expect(await store().moveLabel('default', aTemplate(2).id, mark)).toBe(false);

        expect((await store().find('default', { id }))?.labels).toEqual([]);
      });

      it('are taken away once', async () => {
        await store().create('default', aTemplate(1));
        await store().moveLabel('default', id, mark);

        expect(await store().removeLabel('other', id, 'production')).toBe(false);
        expect(await store().removeLabel('default', id, 'production')).toBe(true);
        expect(await store().removeLabel('default', id, 'production')).toBe(false);

        expect((await store().find('default', { id }))?.labels).toEqual([]);
      });
    });

    it('deletes a template with everything that is its own, and its name is free', async () => {
      const first = tagged(1, ['a']);
      await store().create('default', first);
      await store().addVersion('default', id, aVersion(2));
      await store().moveLabel('default', id, { label: 'x', version: 1, movedBy: 'key_1', movedAt: AT });

      expect(await store().delete('other', id)).toBe(false);
      expect(await store().delete('default', id)).toBe(true);
      expect(await store().delete('default', id)).toBe(false);

      expect(await store().findVersion('default', id, 1)).toBeUndefined();
      expect(await store().create('default', first)).toBe(true);
      expect(await store().find('default', { id })).toMatchObject({ latest: 1, labels: [] });
    });
  });
}
