/**
 * Twelve mistakes that an engine like this one is prone to, each as a change of one place in the source, and the
 * promise that it breaks as the simulation tells of it.
 *
 * `by` is `seeds` where random simulations find it, else the name of a scenario.
 */
export const defects = [
  {
    name: 'a result accepted with an old epoch',
    file: 'src/storage/memory/memory-record.ts',
    find: 'if (entry.epoch !== append.claim.epoch || entry.events.length !== append.expectedSeq) return REFUSED;',
    replace: 'if (entry.events.length < append.expectedSeq) return REFUSED;',
    by: 'seeds',
    breaks: { invariant: 'I4', message: /an append of epoch \d+ was taken/ },
  },
  {
    name: 'result and next steps in two writes',
    file: 'src/runs/engine/run.loop.ts',
    find: 'const isAppended = await this.commit(append);',
    replace: `const cut = append.events.findIndex(({ event }) => event.type.endsWith('.completed')) + 1;
      const { events: all, appendId } = append;
      const isAppended =
        cut > 0 && cut < all.length
          ? (await this.commit({ ...append, events: all.slice(0, cut), appendId: appendId + '.a' })) &&
            (await this.commit({
              ...append,
              expectedSeq: append.expectedSeq + cut,
              events: all.slice(cut),
              appendId: appendId + '.b',
            }))
          : await this.commit(append);`,
    by: 'seeds',
    breaks: { invariant: 'I4', message: /leaves out what follows/ },
  },
  {
    name: 'event number from a separate read',
    file: 'src/storage/memory/memory-record.ts',
    find: 'if (entry.epoch !== append.claim.epoch || entry.events.length !== append.expectedSeq) return REFUSED;',
    replace: 'if (entry.epoch !== append.claim.epoch) return REFUSED;',
    by: 'seeds',
    breaks: { invariant: 'I6', message: /is numbered \d+, and kept under/ },
  },
  {
    name: 'lease renewed after loss',
    file: 'src/storage/memory/memory-run.lease.ts',
    find: 'if (expiresAt !== undefined && expiresAt <= now)',
    replace: 'if (expiresAt !== undefined && expiresAt < RETIRED)',
    by: 'seeds',
    breaks: { invariant: 'I7', message: /was renewed after it had run out/ },
  },
  {
    name: 'a retry counted twice',
    file: 'src/runs/domain/evolve-unit.ts',
    find: 'unit.failures += 1;',
    replace: 'unit.failures += 2;',
    by: 'seeds',
    breaks: { invariant: 'I9', message: /given up after/ },
  },
  {
    name: '`when` evaluated early',
    file: 'src/runs/domain/settle.ts',
    find: "if (dependent.unsettled > 0 || dependent.status !== 'pending') return;",
    replace: `if (dependent.unsettled > (dependent.step.when === undefined ? 0 : 1) || dependent.status !== 'pending')
        return;`,
    by: 'seeds',
    breaks: { invariant: 'I5', message: /has not ended/ },
  },
  {
    name: 'a skip that releases what needed success',
    file: 'src/runs/domain/settle.ts',
    find: "case 'completed':\n    case 'skipped':\n    case 'cancelled':\n      return status;",
    replace:
      "case 'skipped':\n      return 'completed';\n    case 'completed':\n    case 'cancelled':\n      return status;",
    by: 'seeds',
    breaks: { invariant: 'I5', message: /its join does not hold/ },
  },
  {
    name: 'a map over nothing that never ends',
    file: 'src/runs/domain/settle.ts',
    find: 'if (items === 0) state.frontier.closing.add(unit);',
    replace: 'if (items < 0) state.frontier.closing.add(unit);',
    by: 'seeds',
    breaks: { invariant: 'I3', message: /it has not ended/ },
  },
  {
    name: 'a slot not returned on crash',
    file: 'src/runs/engine/run.engine.ts',
    find: 'if (loop.holdsSlot) this.slotsTaken -= 1;',
    replace: "if (loop.holdsSlot && why !== 'lost') this.slotsTaken -= 1;",
    by: 'seeds',
    breaks: { invariant: 'I12', message: /slots of/ },
  },
  {
    name: 'cancel racing completion',
    file: 'src/runs/domain/decide.ts',
    find: "if (isTerminal(status) || status === 'cancelling') return ok(draft.events);",
    replace: "if (status === 'cancelling') return ok(draft.events);",
    by: 'seeds',
    breaks: { invariant: 'I11', message: /after the run has ended/ },
  },
  {
    name: 'a timer on wall clock',
    file: 'src/runs/engine/run.loop.ts',
    find: `this.isPoked = false;
    const now = this.tools.clock.now();`,
    replace: `this.isPoked = false;
    const now = this.tools.clock.wall();`,
    by: 'seeds',
    breaks: { invariant: 'I9', message: /tried again after|too early/ },
  },
  {
    name: 'a cursor moved before its publish',
    file: 'src/metrics/trace-export.ts',
    find: `for (const [runId, namespace] of ended) await this.sendRun(namespace, runId);
    await this.cursors.move(this.name, cursor);`,
    replace: `await this.cursors.move(this.name, cursor);
    for (const [runId, namespace] of ended) await this.sendRun(namespace, runId);`,
    by: 'sendTraceAcrossADeath',
    breaks: { invariant: 'I6', message: /its trace was never sent/ },
  },
];
