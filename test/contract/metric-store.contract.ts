import { countEnd, emptyFigures, restoreFigures, type Figures } from '../../src/metrics/domain/figures.js';
import type { MinuteFigures } from '../../src/metrics/domain/fold.js';
import { LENGTH_MS, type Grain, type Tile } from '../../src/metrics/domain/grain.js';
import { seriesOf, type Series } from '../../src/metrics/domain/series.js';
import type { MetricChange, MetricPosition, MetricQuery } from '../../src/metrics/metric.store.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** Midnight, UTC. */
const DAY = Date.UTC(2026, 0, 15);
const { minute: MINUTE, hour: HOUR, day: A_DAY } = LENGTH_MS;

const runs = seriesOf('default', 'runs');

function at(cursor: string): MetricPosition {
  return { cursor, foldVersion: 1 };
}

/** A minute in which runs ended that took so long. */
function aMinute(series: Series, beginning: number, ...durations: readonly number[]): MinuteFigures {
  const figures = emptyFigures();
  for (const duration of durations) countEnd(figures, 'completed', duration);
  return { series, at: beginning, figures };
}

function aChange(from: string, to: string, fields: Partial<MetricChange> = {}): MetricChange {
  return { from: at(from), to: at(to), minutes: [], open: new Map(), ...fields };
}

function tile(grain: Grain, from = DAY, to = DAY + A_DAY): Tile {
  return { grain, from, to };
}

/** What every `MetricStore` promises. */
export function metricStoreContract(engine: RecordEngine): void {
  describe(`MetricStore on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const store = (): typeof scene.stores.metrics => scene.stores.metrics;

    const commit = (...minutes: readonly MinuteFigures[]): Promise<boolean> =>
      store().commit(aChange('', '1', { minutes }));

    const read = async (
      tiles: readonly Tile[],
      query: Partial<MetricQuery> = {},
    ): Promise<readonly (readonly [name: string, at: number, figures: Figures])[]> => {
      const found = await store().read({ namespace: 'default', dimension: 'runs', ...query, tiles });
      return found
        .map(
          (piece) => [[piece.parent, piece.key].join('/'), piece.at, restoreFigures(piece.stored)] as const,
        )
        .sort(([a, x], [b, y]) => (a === b ? x - y : a < b ? -1 : 1));
    };

    describe('commit', () => {
      it('stands nowhere in an empty record', async () => {
        expect(await store().position()).toBeUndefined();
        expect(await store().series('default')).toEqual([]);
      });

      it('moves the cursor, and only from where it stands', async () => {
        expect(await store().commit(aChange('', '1'))).toBe(true);
        expect(await store().commit(aChange('', '1'))).toBe(false);
        expect(await store().commit(aChange('1', '2'))).toBe(true);
        expect(await store().commit(aChange('1', '2'))).toBe(false);

        expect(await store().position()).toEqual(at('2'));
      });

      it('keeps nothing of a page that it refuses', async () => {
        await commit();
        const open = new Map([['run_1', { namespace: 'default', open: { createdAt: 1, attempts: {} } }]]);
        const change = aChange('', '9', { minutes: [aMinute(runs, DAY, 5)], open });

        expect(await store().commit(change)).toBe(false);

        expect(await read([tile('day')])).toEqual([]);
        expect(await store().openRuns(['run_1'])).toEqual(new Map());
      });

      it('is one of many that count the same page at the same time', async () => {
        const change = aChange('', '1', { minutes: [aMinute(runs, DAY, 5)] });
        const held = await Promise.all(Array.from({ length: 8 }, () => store().commit(change)));

        expect(held.filter(Boolean)).toHaveLength(1);
        expect((await read([tile('day')])).map(([, , { counts }]) => counts.completed)).toEqual([1]);
      });

      it('adds up minutes to hours and days, within a page and over pages', async () => {
        await commit(aMinute(runs, DAY, 10, 20), aMinute(runs, DAY + MINUTE, 30));
        await store().commit(
          aChange('1', '2', { minutes: [aMinute(runs, DAY, 40), aMinute(runs, DAY + HOUR, 50)] }),
        );

        expect(await read([tile('minute')])).toEqual([
          ['/', DAY, aMinute(runs, DAY, 10, 20, 40).figures],
          ['/', DAY + MINUTE, aMinute(runs, DAY, 30).figures],
          ['/', DAY + HOUR, aMinute(runs, DAY, 50).figures],
        ]);
        expect(await read([tile('hour')])).toEqual([
          ['/', DAY, aMinute(runs, DAY, 10, 20, 30, 40).figures],
          ['/', DAY + HOUR, aMinute(runs, DAY, 50).figures],
        ]);
        expect(await read([tile('day')])).toEqual([
          ['/', DAY, aMinute(runs, DAY, 10, 20, 30, 40, 50).figures],
        ]);
      });

      it('remembers open runs until they are forgotten', async () => {
        const first = { createdAt: 1, attempts: { 'a[1]': { at: 3, model: 'm' } } };
        const second = { createdAt: 1, startedAt: 2, attempts: {} };
        const remember = (from: string, to: string, open: typeof first | typeof second | undefined) =>
          store().commit(
            aChange(from, to, { open: new Map([['run_1', open && { namespace: 'default', open }]]) }),
          );

        await remember('', '1', first);
        expect(await store().openRuns(['run_1', 'run_2'])).toEqual(new Map([['run_1', first]]));
        await remember('1', '2', second);
        expect(await store().openRuns(['run_1'])).toEqual(new Map([['run_1', second]]));
        await remember('2', '3', undefined);
        expect(await store().openRuns(['run_1'])).toEqual(new Map());
        expect(await store().openRuns([])).toEqual(new Map());
      });
    });

    describe('read', () => {
      const step = (key: string, parent: string): Series => seriesOf('default', 'step', key, parent);

      beforeEach(() =>
        commit(
          aMinute(runs, DAY, 1),
          aMinute(seriesOf('other', 'runs'), DAY, 2),
          aMinute(step('a', 'w1'), DAY, 3),
          aMinute(step('b', 'w1'), DAY, 4),
          aMinute(step('a', 'w2'), DAY, 5),
          aMinute(seriesOf('default', 'tag', '__proto__'), DAY, 6),
          aMinute(seriesOf('default', 'tag', 'O\'Neil "é" %'), DAY, 7),
          aMinute(seriesOf('default', 'model', 'nul \0, half \ud800'), DAY, 8),
        ),
      );

      it.each<readonly [Partial<MetricQuery>, readonly string[]]>([
        [{}, ['/']],
        [{ namespace: 'other' }, ['/']],
        [{ namespace: 'none' }, []],
        [{ dimension: 'step' }, ['w1/a', 'w1/b', 'w2/a']],
        [{ dimension: 'step', parent: 'w1' }, ['w1/a', 'w1/b']],
        [{ dimension: 'step', key: 'a' }, ['w1/a', 'w2/a']],
        [{ dimension: 'step', parent: 'w1', key: 'b' }, ['w1/b']],
        [{ dimension: 'tag', key: '__proto__' }, ['/__proto__']],
        [{ dimension: 'tag', key: 'O\'Neil "é" %' }, ['/O\'Neil "é" %']],
        [{ dimension: 'model' }, ['/nul \ufffd, half \ufffd']],
        [{ dimension: 'agent' }, []],
      ])('%j gives %j', async (query, names) => {
        expect((await read([tile('day')], query)).map(([name]) => name)).toEqual(names);
      });

      it.each<readonly [readonly Tile[], number]>([
        [[], 0],
        [[tile('minute', DAY, DAY + 1)], 1],
        [[tile('minute', DAY + 1, DAY + A_DAY)], 0],
        [[tile('minute', DAY - MINUTE, DAY)], 0],
        [[tile('minute', DAY - MINUTE, DAY), tile('hour')], 1],
        [[tile('minute'), tile('hour'), tile('day')], 3],
      ])('pieces that begin within %j: %i', async (tiles, count) => {
        expect(await read(tiles)).toHaveLength(count);
      });

      it('knows the series of a namespace', async () => {
        const known = await store().series('default');

        expect(known.map(({ text }) => text).toSorted()).toEqual(
          [
            runs,
            step('a', 'w1'),
            step('b', 'w1'),
            step('a', 'w2'),
            seriesOf('default', 'tag', '__proto__'),
            seriesOf('default', 'tag', 'O\'Neil "é" %'),
            seriesOf('default', 'model', 'nul \0, half \ud800'),
          ]
            .map(({ text }) => text)
            .toSorted(),
        );
      });
    });

    describe('prune', () => {
      it('forgets old pieces of one grain, and series of which nothing is left', async () => {
        const gone = seriesOf('default', 'tag', 'gone');
        await commit(aMinute(runs, DAY, 1), aMinute(runs, DAY + MINUTE, 2), aMinute(gone, DAY, 3));

        await store().prune('minute', DAY + MINUTE);
        expect((await read([tile('minute')])).map(([, beginning]) => beginning)).toEqual([DAY + MINUTE]);
        expect(await read([tile('hour')])).toHaveLength(1);
        expect(await store().series('default')).toHaveLength(2);

        await store().prune('hour', DAY + A_DAY);
        await store().prune('day', DAY + A_DAY);
        expect(await store().series('default')).toEqual([runs]);
      });
    });

    describe('reset', () => {
      it('forgets everything, so that counting begins again', async () => {
        const open = new Map([['run_1', { namespace: 'default', open: { createdAt: 1, attempts: {} } }]]);
        await store().commit(aChange('', '1', { minutes: [aMinute(runs, DAY, 1)], open }));

        await store().reset();

        expect(await store().position()).toBeUndefined();
        expect(await store().series('default')).toEqual([]);
        expect(await store().openRuns(['run_1'])).toEqual(new Map());
        expect(await commit(aMinute(runs, DAY, 1))).toBe(true);
        expect(await read([tile('day')])).toEqual([['/', DAY, aMinute(runs, DAY, 1).figures]]);
      });
    });
  });
}
