import type { AgentBody } from '../../src/agents/domain/agent.js';
import type {
  NewResource,
  ResourceOutline,
  ResourceReference,
  VersionEntry,
} from '../../src/platform/ports/versioned.store.js';
import type { WorkflowBody } from '../../src/workflows/domain/workflow.js';
import { useRecord, type RecordEngine } from './record-scene.js';

const AT = 1_700_000_000_000;

type Body = AgentBody;

function aBody(fields: Partial<Body> = {}): Body {
  return {
    kind: 'echo',
    description: 'Says it again',
    capabilities: [],
    settings: {},
    limits: {},
    tags: [],
    ...fields,
  };
}

function anEntry(
  version: number,
  outline: Partial<ResourceOutline> = {},
  fields: Partial<VersionEntry<Body>> = {},
): VersionEntry<Body> {
  return {
    content: { version, body: aBody(), author: 'key_1', createdAt: AT + version },
    outline: { facets: {}, ...outline },
    ...fields,
  };
}

function anAgent(number: number, first = anEntry(1)): NewResource<Body> {
  return { id: `agt_${String(number).padStart(32, '0')}`, name: `a-${String(number)}`, first };
}

function aWorkflow(number: number, references: readonly ResourceReference[]): NewResource<WorkflowBody> {
  const body: WorkflowBody = { definition: { steps: [{ id: 'a', agent: 'echo' }] }, tags: [] };
  const content = { version: 1, body, author: 'key_1', createdAt: AT };
  return {
    id: `wf_${String(number).padStart(32, '0')}`,
    name: `w-${String(number)}`,
    first: { content, outline: { facets: {} }, references },
  };
}

/** What every `VersionedStore` promises, shown by agents and workflows side by side. */
export function versionedStoreContract(engine: RecordEngine): void {
  describe(`VersionedStore on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const store = (): typeof scene.stores.agents => scene.stores.agents;
    const { id } = anAgent(1);
    const page = { limit: 10 };
    const names = async (
      filter: Parameters<ReturnType<typeof store>['list']>[1],
    ): Promise<readonly string[]> =>
      (await store().list('default', filter, page)).items.map(({ name }) => name);

    describe('create', () => {
      it('keeps a resource with its first version, byte for byte', async () => {
        const settings = JSON.parse(
          '{"__proto__":{"b":1},"constructor":"é \\"x\\"","z":[],"a":0.1}',
        ) as never;
        const body = aBody({ settings });
        const content = { version: 1, body, author: 'key_1', changeNote: 'first', createdAt: AT + 1 };
        const outline = { title: 'One', description: 'd', facets: { tag: ['b', 'a'], kind: ['echo'] } };

        expect(await store().create('default', anAgent(1, { content, outline }))).toBe(true);

        expect(await store().find('default', { id })).toEqual({
          ...{ id, name: 'a-1', ...outline, latest: 1, labels: [] },
          ...{ createdAt: AT + 1, updatedAt: AT + 1 },
        });
        expect(await store().find('default', { name: 'a-1' })).toMatchObject({ id });
        const kept = await store().findVersion('default', id, 1);
        expect(kept).toEqual(content);
        expect(JSON.stringify(kept?.body.settings)).toBe(JSON.stringify(settings));
      });

      it('refuses a name that is taken in the namespace, and changes nothing', async () => {
        await store().create('default', anAgent(1));

        const first = anEntry(1, { facets: { tag: ['x'] } });
        expect(await store().create('default', { ...anAgent(2, first), name: 'a-1' })).toBe(false);
        expect(await store().create('other', { ...anAgent(3), name: 'a-1' })).toBe(true);

        expect(await store().find('default', { id: anAgent(2).id })).toBeUndefined();
        expect(await store().findVersion('default', anAgent(2).id, 1)).toBeUndefined();
        expect(await names({ facets: { tag: 'x' } })).toEqual([]);
      });

      it('refuses an id that exists in any namespace', async () => {
        await store().create('default', anAgent(1));

        expect(await store().create('other', { ...anAgent(1), name: 'another' })).toBe(false);
      });

      it('gives a name to one of many that ask for it at the same time', async () => {
        const numbers = Array.from({ length: 20 }, (_, index) => index + 1);

        const made = await Promise.all(
          numbers.map((number) => store().create('default', { ...anAgent(number), name: 'same' })),
        );

        expect(made.filter(Boolean)).toHaveLength(1);
        expect(await names({})).toEqual(['same']);
      });
    });

    describe('addVersion', () => {
      it('adds the next version, and the head is as it says', async () => {
        await store().create('default', anAgent(1, anEntry(1, { title: 'T', facets: { tag: ['old'] } })));
        const second = anEntry(2, { description: 'second', facets: { tag: ['new'] } });

        expect(await store().addVersion('default', id, second)).toBe(true);

        expect(await store().findVersion('default', id, 2)).toEqual(second.content);
        const head = await store().find('default', { id });
        expect(head).toMatchObject({
          ...{ description: 'second', facets: { tag: ['new'] }, latest: 2 },
          ...{ createdAt: AT + 1, updatedAt: AT + 2 },
        });
        expect(head).not.toHaveProperty('title');
        expect(await names({ facets: { tag: 'old' } })).toEqual([]);
        expect(await names({ facets: { tag: 'new' } })).toEqual(['a-1']);
      });

      it.each([
        ['the number that there is', 1, 'default'],
        ['a number after a gap', 3, 'default'],
        ['a resource of another namespace', 2, 'other'],
      ])('refuses %s', async (_, number, namespace) => {
        await store().create('default', anAgent(1));

        expect(await store().addVersion(namespace, id, anEntry(number))).toBe(false);

        expect(await store().find('default', { id })).toMatchObject({ latest: 1 });
        expect((await store().listVersions('default', id, page)).items).toHaveLength(1);
      });

      it('gives every number once to many that go on asking', async () => {
        await store().create('default', anAgent(1));
        const add = async (author: string): Promise<number> => {
          for (;;) {
            const { latest = 0 } = (await store().find('default', { id })) ?? {};
            const version = latest + 1;
            const content = { version, body: aBody(), author, createdAt: AT };
            if (await store().addVersion('default', id, anEntry(version, {}, { content }))) return version;
          }
        };

        const numbers = await Promise.all(
          Array.from({ length: 12 }, (_, index) => add(`key_${String(index)}`)),
        );

        expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 2));
        for (const [index, version] of numbers.entries()) {
          const author = `key_${String(index)}`;
          expect(await store().findVersion('default', id, version)).toMatchObject({ author });
        }
      });
    });

    it('finds nothing in another namespace', async () => {
      await store().create('default', anAgent(1));

      expect(await store().find('other', { id })).toBeUndefined();
      expect(await store().find('other', { name: 'a-1' })).toBeUndefined();
      expect(await store().findVersion('other', id, 1)).toBeUndefined();
      expect((await store().list('other', {}, page)).items).toEqual([]);
      expect((await store().listVersions('other', id, page)).items).toEqual([]);
    });

    it('keeps types apart: same names, other resources', async () => {
      const { workflows } = scene.stores;
      await store().create('default', anAgent(1));
      const workflow = { ...aWorkflow(1, []), name: 'a-1' };

      expect(await workflows.create('default', workflow)).toBe(true);

      expect(await workflows.find('default', { id })).toBeUndefined();
      expect(await workflows.findVersion('default', id, 1)).toBeUndefined();
      expect(await workflows.addVersion('default', id, { ...workflow.first })).toBe(false);
      expect(
        await workflows.moveLabel('default', id, { label: 'x', version: 1, movedBy: 'k', movedAt: AT }),
      ).toBe(false);
      expect(await workflows.setStatus('default', id, 'x')).toBe(false);
      expect(await workflows.delete('default', id)).toBe(false);
      expect((await workflows.list('default', {}, page)).items.map((one) => one.id)).toEqual([workflow.id]);
      expect(await names({})).toEqual(['a-1']);
    });

    describe('list', () => {
      it('gives pages, newest first, with labels', async () => {
        for (const number of [1, 2, 3]) await store().create('default', anAgent(number));
        const mark = { label: 'production', version: 1, movedBy: 'key_1', movedAt: AT };
        await store().moveLabel('default', anAgent(2).id, mark);

        const first = await store().list('default', {}, { limit: 2 });
        const second = await store().list('default', {}, { limit: 2, cursor: first.nextCursor ?? '' });

        expect(first.items.map(({ name }) => name)).toEqual(['a-3', 'a-2']);
        expect(first.items.map(({ labels }) => labels)).toEqual([[], [mark]]);
        expect(second).toEqual({ items: [expect.objectContaining({ name: 'a-1' })] });
        expect(await store().list('default', {}, { limit: 2, cursor: '!' })).toEqual({ items: [] });
      });

      it.each([
        [{ facets: { tag: 'a' } }, ['a-3', 'a-1']],
        [{ facets: { kind: 'a' } }, []],
        [{ facets: { tag: 'a', kind: 'llm' } }, ['a-3']],
        [{ facets: { kind: 'llm' } }, ['a-3', 'a-2']],
        [{ status: 'offline' }, ['a-2']],
        [{ status: 'offline', facets: { tag: 'a' } }, []],
        [{ search: 'A-2' }, ['a-2']],
        [{ search: 'LETTER' }, ['a-3', 'a-2']],
        [{ search: '100%' }, ['a-3']],
        [{ search: '%' }, ['a-3']],
        [{ search: String.raw`_\ ` }, []],
        [{ facets: { tag: 'a' }, search: 'letter' }, ['a-3']],
      ])('finds by %j', async (filter, found) => {
        const outlines: readonly ResourceOutline[] = [
          { facets: { tag: ['a', 'b'] } },
          { title: 'A letter', facets: { kind: ['llm'] } },
          { description: 'Letters, 100% so', facets: { tag: ['a'], kind: ['llm'] } },
        ];
        for (const [index, outline] of outlines.entries()) {
          await store().create('default', anAgent(index + 1, anEntry(1, outline)));
        }
        await store().setStatus('default', anAgent(2).id, 'offline');

        expect(await names(filter)).toEqual(found);
      });
    });

    it('lists versions in pages, newest first, without their bodies', async () => {
      await store().create('default', anAgent(1));
      for (const number of [2, 3, 4]) await store().addVersion('default', id, anEntry(number));

      const first = await store().listVersions('default', id, { limit: 3 });
      const second = await store().listVersions('default', id, { limit: 3, cursor: first.nextCursor ?? '' });

      expect(first.items.map(({ version }) => version)).toEqual([4, 3, 2]);
      expect(second).toEqual({ items: [{ version: 1, author: 'key_1', createdAt: AT + 1 }] });
    });

    describe('labels', () => {
      const mark = { label: 'production', version: 1, movedBy: 'key_1', movedAt: AT };

      it('move from version to version with a reason', async () => {
        await store().create('default', anAgent(1));
        await store().addVersion('default', id, anEntry(2));
        const staging = { ...mark, label: 'staging' };
        const moved = { ...mark, version: 2, reason: 'reads better', movedBy: 'key_2', movedAt: AT + 9 };

        for (const one of [staging, mark, moved]) {
          expect(await store().moveLabel('default', id, one)).toBe(true);
        }

        expect((await store().find('default', { id }))?.labels).toEqual([moved, staging]);
      });

      it('move to no version that does not exist', async () => {
        await store().create('default', anAgent(1));

        expect(await store().moveLabel('default', id, { ...mark, version: 2 })).toBe(false);
        expect(await store().moveLabel('other', id, mark)).toBe(false);
        expect(await store().moveLabel('default', anAgent(2).id, mark)).toBe(false);

        expect((await store().find('default', { id }))?.labels).toEqual([]);
      });

      it('are on one version while many move them at the same time', async () => {
        await store().create('default', anAgent(1));
        for (const number of [2, 3, 4]) await store().addVersion('default', id, anEntry(number));

        const moves = Array.from({ length: 20 }, (_, index) =>
          store().moveLabel('default', id, { ...mark, version: (index % 4) + 1 }),
        );

        expect(await Promise.all(moves)).not.toContain(false);
        expect((await store().find('default', { id }))?.labels).toHaveLength(1);
      });

      it('are taken away once', async () => {
        await store().create('default', anAgent(1));
        await store().moveLabel('default', id, mark);

        expect(await store().removeLabel('other', id, 'production')).toBe(false);
        expect(await store().removeLabel('default', id, 'production')).toBe(true);
        expect(await store().removeLabel('default', id, 'production')).toBe(false);

        expect((await store().find('default', { id }))?.labels).toEqual([]);
      });
    });

    it('sets a status and takes it away, and makes no version', async () => {
      await store().create('default', anAgent(1));

      expect(await store().setStatus('other', id, 'offline')).toBe(false);
      expect(await store().setStatus('default', id, 'offline')).toBe(true);
      await store().addVersion('default', id, anEntry(2));
      expect(await store().find('default', { id })).toMatchObject({ status: 'offline', latest: 2 });

      expect(await store().setStatus('default', id, undefined)).toBe(true);
      expect(await store().find('default', { id })).not.toHaveProperty('status');
    });

    it('says which versions use something, old ones included, until they are deleted', async () => {
      const { workflows } = scene.stores;
      const agent = { type: 'agent', target: 'a-1' };
      const other = { type: 'agent', target: id };
      const template = { type: 'template', target: 'a-1' };
      await workflows.create('default', aWorkflow(1, [agent, agent, other]));
      await workflows.create('default', aWorkflow(2, [template]));
      await workflows.create('other', aWorkflow(3, [agent]));
      const second = aWorkflow(1, []).first;
      await workflows.addVersion('default', aWorkflow(1, []).id, {
        ...second,
        content: { ...second.content, version: 2 },
      });

      const used = { id: aWorkflow(1, []).id, name: 'w-1', version: 1 };
      expect(await workflows.referrers('default', [agent, other], 10)).toEqual([used]);
      expect(await workflows.referrers('default', [agent, template], 10)).toHaveLength(2);
      expect(await workflows.referrers('default', [agent, template], 1)).toEqual([used]);
      expect(await workflows.referrers('default', [], 10)).toEqual([]);
      expect(await store().referrers('default', [agent], 10)).toEqual([]);

      await workflows.delete('default', used.id);
      expect(await workflows.referrers('default', [agent, other], 10)).toEqual([]);
    });

    it('deletes a resource with everything that is its own, and its name is free', async () => {
      const first = anAgent(1, anEntry(1, { facets: { tag: ['a'] } }));
      await store().create('default', first);
      await store().addVersion('default', id, anEntry(2, { facets: { tag: ['a'] } }));
      await store().moveLabel('default', id, { label: 'x', version: 1, movedBy: 'key_1', movedAt: AT });

      expect(await store().delete('other', id)).toBe(false);
      expect(await store().delete('default', id)).toBe(true);
      expect(await store().delete('default', id)).toBe(false);

      expect(await store().findVersion('default', id, 1)).toBeUndefined();
      expect(await names({ facets: { tag: 'a' } })).toEqual([]);
      expect(await store().create('default', first)).toBe(true);
      expect(await store().find('default', { id })).toMatchObject({ latest: 1, labels: [] });
    });
  });
}
