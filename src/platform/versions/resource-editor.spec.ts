import { ManualClock } from '../../../test/support/manual-clock.js';
import { defineErrors } from '../../kernel/failure.js';
import type { JsonObject } from '../../kernel/json.js';
import { InProcessHotStore } from '../../storage/memory/in-process-hot.store.js';
import { MemoryVersionedStore } from '../../storage/memory/memory-versioned.store.js';
import type { VersionedStore } from '../ports/versioned.store.js';
import { ResourceEditor } from './resource-editor.js';
import { ResourceSource, type ResourceType } from './resource-source.js';

const errors = defineErrors({
  'thing.not-found': { kind: 'not-found', title: 'no thing' },
  'thing.version-not-found': { kind: 'not-found', title: 'no version' },
  'thing.label-not-found': { kind: 'not-found', title: 'no label' },
  'thing.label-reserved': { kind: 'unprocessable', title: 'reserved' },
  'thing.name-taken': { kind: 'conflict', title: 'taken' },
  'thing.contended': { kind: 'conflict', title: 'contended' },
});
const TYPE: ResourceType = {
  noun: 'thing',
  idPrefix: 'wf',
  errors: {
    notFound: errors['thing.not-found'],
    versionNotFound: errors['thing.version-not-found'],
    labelNotFound: errors['thing.label-not-found'],
  },
};
const ID = `wf_${'0'.repeat(32)}`;
const EDIT = { namespace: 'default', reference: 'one', author: 'key_1' };

interface Scene {
  readonly store: VersionedStore<JsonObject>;
  readonly source: ResourceSource<JsonObject>;
  readonly editor: ResourceEditor<JsonObject>;
}

/** An editor over a store; two over one store are two processes. */
function sceneOn(store: VersionedStore<JsonObject> = new MemoryVersionedStore(new Map(), 'thing')): Scene {
  const clock = new ManualClock();
  const source = new ResourceSource(TYPE, { store, hot: new InProcessHotStore(clock), ttlMs: 60_000 });
  const rules = {
    errors: {
      nameTaken: errors['thing.name-taken'],
      labelNotFound: errors['thing.label-not-found'],
      labelReserved: errors['thing.label-reserved'],
      contended: errors['thing.contended'],
    },
    check: () => Promise.resolve(),
    index: ({ text }: JsonObject) => ({
      outline: { description: typeof text === 'string' ? text : '', facets: {} },
    }),
  };
  return { store, source, editor: new ResourceEditor({ store, source, clock }, rules) };
}

async function sceneWithOne(): Promise<Scene> {
  const scene = sceneOn();
  await scene.editor.create(EDIT, { id: ID, name: 'one', body: { text: 'a' } });
  return scene;
}

const failing = (code: string): object => ({ failure: { code } });

describe('a resource', () => {
  it('is made once by a name, and read by either', async () => {
    const { editor, source } = await sceneWithOne();

    await expect(
      editor.create(EDIT, { id: `${ID.slice(0, -1)}1`, name: 'one', body: {} }),
    ).rejects.toMatchObject(failing('thing.name-taken'));
    for (const reference of ['one', ID]) {
      expect(await source.get('default', reference, {})).toMatchObject({
        ...{ version: 1, label: 'latest', content: { body: { text: 'a' }, author: 'key_1' } },
        head: { id: ID, name: 'one', description: 'a' },
      });
    }
  });

  it('has a number without gap for each of a thousand updates at the same time', async () => {
    const { editor, store } = await sceneWithOne();
    const other = sceneOn(store).editor;

    const found = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        (n % 2 === 0 ? editor : other).update(EDIT, () => ({ text: String(n) })),
      ),
    );

    const numbers = found.map(({ version }) => version).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 2));
    expect(await store.find('default', { id: ID })).toMatchObject({ latest: 1_001 });
  });

  it('gets no version that says the same', async () => {
    const { editor } = await sceneWithOne();

    expect(await editor.update(EDIT, () => ({ text: 'a' }))).toMatchObject({ version: 1 });
  });

  it('is changed from the version that was named only', async () => {
    const { editor } = await sceneWithOne();
    await editor.update({ ...EDIT, accepted: [1] }, () => ({ text: 'b' }));

    await expect(editor.update({ ...EDIT, accepted: [1] }, () => ({ text: 'c' }))).rejects.toMatchObject(
      failing('version.stale'),
    );
  });

  it('is served as it is at once after each change', async () => {
    const { editor, source } = await sceneWithOne();
    const read = async (): Promise<unknown> => (await source.get('default', 'one', {})).content.body['text'];
    await read();

    await editor.update(EDIT, () => ({ text: 'b' }));
    expect(await read()).toBe('b');
    await editor.moveLabel(EDIT, { label: 'production', version: 1 });
    expect(await read()).toBe('a');
    await editor.removeLabel('default', 'one', 'production');
    expect(await read()).toBe('b');
    expect(await editor.rollback(EDIT, 1)).toMatchObject({ version: 3 });
    expect(await read()).toBe('a');
    await editor.setStatus('default', 'one', 'offline');
    expect((await source.find('default', 'one'))?.status).toBe('offline');
    await editor.delete('default', 'one', () => Promise.resolve());
    await expect(read()).rejects.toMatchObject(failing('thing.not-found'));
  });

  it.each<readonly [string, (editor: ResourceEditor<JsonObject>) => Promise<unknown>, string]>([
    ['a rollback', (editor) => editor.rollback(EDIT, 2), 'thing.version-not-found'],
    ['a label', (editor) => editor.moveLabel(EDIT, { label: 'x', version: 2 }), 'thing.version-not-found'],
    [
      'the system label',
      (editor) => editor.moveLabel(EDIT, { label: 'latest', version: 1 }),
      'thing.label-reserved',
    ],
    ['no label', (editor) => editor.removeLabel('default', 'one', 'x'), 'thing.label-not-found'],
    ['an update', (editor) => editor.update({ ...EDIT, reference: 'two' }, () => ({})), 'thing.not-found'],
  ])('refuses %s of what is not there', async (_, act, code) => {
    const { editor } = await sceneWithOne();

    await expect(act(editor)).rejects.toMatchObject(failing(code));
  });

  it('stays when its deletion is refused', async () => {
    const { editor, source } = await sceneWithOne();

    await expect(editor.delete('default', 'one', () => Promise.reject(new Error('used')))).rejects.toThrow(
      'used',
    );

    expect(await source.find('default', 'one')).toBeDefined();
  });
});
