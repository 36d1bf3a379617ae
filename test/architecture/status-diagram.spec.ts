/** The diagrams of docs/architecture.md draw the transition tables of src/runs/domain/run.status.ts, no more and no less. */
import { readFileSync } from 'node:fs';

import {
  ATTEMPT_TRANSITIONS,
  isTerminal,
  RUN_STATUSES,
  RUN_TRANSITIONS,
  STEP_TRANSITIONS,
} from '../../src/runs/domain/run.status.js';

/** Begin and end of a diagram. */
const POINT = '[*]';

const diagrams = diagramsOf(readFileSync('docs/architecture.md', 'utf8'));

interface Row {
  readonly title: string;
  readonly table: Readonly<Record<string, readonly string[]>>;
  readonly first: string;
  readonly ends: readonly string[];
}

const rows: readonly Row[] = [
  { title: 'Run', table: RUN_TRANSITIONS, first: 'queued', ends: RUN_STATUSES.filter(isTerminal) },
  {
    title: 'Step',
    table: STEP_TRANSITIONS,
    first: 'pending',
    ends: ['completed', 'failed', 'skipped', 'cancelled'],
  },
  {
    title: 'Attempt',
    table: ATTEMPT_TRANSITIONS,
    first: 'running',
    ends: ['completed', 'failed', 'timed_out', 'interrupted', 'cancelled'],
  },
];

describe('the status diagrams', () => {
  it('are those of run, step and attempt', () => {
    expect([...diagrams.keys()]).toEqual(rows.map(({ title }) => title));
  });

  it.each(rows)('draw every transition of $title once', ({ title, table, first, ends }) => {
    const transitions = Object.entries(table).flatMap(([from, to]) =>
      to.map((status) => arrow(from, status)),
    );
    const drawn = [arrow(POINT, first), ...transitions, ...ends.map((status) => arrow(status, POINT))];

    expect(diagrams.get(title)?.toSorted()).toEqual(drawn.toSorted());
  });

  it.each(rows)(
    'lead $title from its first status to every other, and from each to an end',
    ({ table, first, ends }) => {
      const all = Object.keys(table).toSorted();

      expect([...reachable(table, first)].toSorted()).toEqual(all);
      expect(all.filter((status) => ends.every((end) => !reachable(table, status).has(end)))).toEqual([]);
    },
  );
});

/** The arrows of each diagram, by the heading above it. */
function diagramsOf(markdown: string): ReadonlyMap<string, readonly string[]> {
  const found = markdown.matchAll(/^### (\w+)\n\n```mermaid\nstateDiagram-v2\n(.*?)^```$/gms);
  return new Map(Array.from(found, ([, title = '', body = '']) => [title, body.trim().split(/\s*\n\s*/)]));
}

function arrow(from: string, to: string): string {
  return `${from} --> ${to}`;
}

/** The status itself and all that may follow it. */
function reachable(table: Row['table'], from: string, seen = new Set<string>()): ReadonlySet<string> {
  seen.add(from);
  for (const next of table[from] ?? []) if (!seen.has(next)) reachable(table, next, seen);
  return seen;
}
