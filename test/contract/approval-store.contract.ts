import type { ApprovalClosing, ApprovalRow } from '../../src/runs/run.store.js';
import { aRun, aRunId } from '../support/a-run.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `ApprovalStore` promises, and what appends promise about approvals. */
export function approvalStoreContract(engine: RecordEngine): void {
  describe(`ApprovalStore on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const runId = aRunId();

    const anApproval = (seq: number, fields: Partial<ApprovalRow> = {}): ApprovalRow => ({
      id: `apr_${'0'.repeat(31)}1_${String(seq)}`,
      namespace: 'default',
      runId,
      path: `ask[${String(seq)}]`,
      asked: { prompt: 'Go?', onReject: 'fail' },
      requestedAt: seq * 10,
      ...fields,
    });

    const write = (...rows: readonly (ApprovalRow | ApprovalClosing)[]): Promise<unknown> =>
      scene.stores.runs.create({
        run: aRun(),
        also: rows.map((row) =>
          'id' in row ? { kind: 'approval', row } : { kind: 'approval-end', end: row },
        ),
      });

    const closing = (seq: number, fields: Partial<ApprovalClosing> = {}): ApprovalClosing => ({
      namespace: 'default',
      runId,
      path: `ask[${String(seq)}]`,
      status: 'approved',
      decision: 'approve',
      data: { note: null },
      by: 'key_1',
      at: 99,
      ...fields,
    });

    const idsOf = async (filter: Parameters<typeof scene.stores.approvals.list>[1]): Promise<number[]> => {
      const { items } = await scene.stores.approvals.list('default', filter, { limit: 10 });
      return items.map(({ requestedAt }) => requestedAt / 10);
    };

    it('has an approval from the write that asks for it, in its namespace only', async () => {
      const asked = {
        prompt: 'Go?',
        form: { type: 'object' },
        assignees: ['ada', 'constructor'],
        onTimeout: { output: { a: [1] } },
        onReject: 'continue',
      } as const;
      const approval = anApproval(1, { asked, expiresAt: 5_000 });
      await write(approval);

      expect(await scene.stores.approvals.find('default', approval.id)).toEqual({
        ...approval,
        status: 'open',
      });
      expect(await scene.stores.approvals.find('other', approval.id)).toBeUndefined();
      expect(await scene.stores.approvals.find('default', 'apr_none')).toBeUndefined();
    });

    it('has its end from the write that ends it, once', async () => {
      await write(anApproval(1), anApproval(2));
      await write(closing(1));
      await write(closing(1, { status: 'cancelled', at: 100 }));

      const { at, ...end } = closing(1);
      expect(await scene.stores.approvals.find('default', anApproval(1).id)).toEqual({
        ...anApproval(1),
        ...end,
        resolvedAt: at,
      });
      expect(await idsOf({ status: 'open' })).toEqual([2]);
    });

    it('leaves an approval as it is when it is asked for again', async () => {
      await write(anApproval(1));
      await write(closing(1));
      await write(anApproval(1, { path: 'other' }));

      expect(await scene.stores.approvals.find('default', anApproval(1).id)).toMatchObject({
        status: 'approved',
        path: 'ask[1]',
      });
    });

    it('ends nothing in another namespace or run', async () => {
      await write(anApproval(1));
      await write(closing(1, { namespace: 'other' }), closing(1, { runId: aRunId() }));

      expect(await idsOf({ status: 'open' })).toEqual([1]);
    });

    it('lists by status, run and assignee, those asked for last first', async () => {
      const assigned = (name: string): ApprovalRow['asked'] => ({
        assignees: [name, 'all'],
        onReject: 'fail',
      });
      await write(
        anApproval(1, { asked: assigned('ada') }),
        anApproval(2, { asked: assigned('Ada'), runId: aRunId() }),
        anApproval(3),
        anApproval(4, { namespace: 'other' }),
      );
      await write(closing(3, { status: 'timed_out' }));

      expect(await idsOf({})).toEqual([3, 2, 1]);
      expect(await idsOf({ status: 'open' })).toEqual([2, 1]);
      expect(await idsOf({ status: 'timed_out' })).toEqual([3]);
      expect(await idsOf({ runId })).toEqual([3, 1]);
      expect(await idsOf({ assignee: 'ada' })).toEqual([1]);
      expect(await idsOf({ assignee: 'all', status: 'open', runId })).toEqual([1]);
    });

    it('lists page by page, also where many were asked for at once', async () => {
      await write(...[1, 2, 3, 4, 5].map((seq) => anApproval(seq, { requestedAt: seq === 5 ? 50 : 10 })));

      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await scene.stores.approvals.list(
          'default',
          {},
          { limit: 2, ...(cursor !== undefined && { cursor }) },
        );
        seen.push(...page.items.map(({ path }) => path));
        cursor = page.nextCursor;
      } while (cursor !== undefined);

      expect(seen).toEqual(['ask[5]', 'ask[4]', 'ask[3]', 'ask[2]', 'ask[1]']);
      const stray = await scene.stores.approvals.list('default', {}, { limit: 2, cursor: 'bm8' });
      expect(stray.items).toEqual([]);
    });
  });
}
