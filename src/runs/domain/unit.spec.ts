import { compileDefinition } from '../../workflows/domain/compile-definition.js';
import type { Graph } from '../../workflows/domain/graph.js';
import { compareUnits, newHeldUnit, newScope, type Scope, type Unit } from './unit.js';

/** A step that maps, each item repeated; a loop with two steps; a step after them. */
const DEFINITION = {
  steps: [
    { id: 'parts', agent: 'scripted', forEach: { items: [1, 2] }, repeat: { maxIterations: 2 } },
    {
      id: 'polish',
      kind: 'loop',
      repeat: {
        maxIterations: 20,
        body: {
          steps: [
            { id: 'draft', agent: 'scripted' },
            { id: 'check', agent: 'scripted' },
          ],
        },
      },
    },
    { id: 'last', agent: 'scripted' },
  ],
};

function graphOf(definition: unknown): Graph {
  const compiled = compileDefinition(definition, { maxSteps: 10 });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.failure));
  return compiled.value.graph;
}

function at(scope: Scope, index: number): Unit {
  const unit = scope.units[index];
  if (unit === undefined) throw new RangeError(`there is no step ${index}`);
  return unit;
}

/** A unit of every role at every depth, as they stand in the run. */
function unitsInOrder(): readonly Unit[] {
  const root = newScope(graphOf(DEFINITION));
  const [parts, polish, last] = [at(root, 0), at(root, 1), at(root, 2)];
  const items = [0, 1].flatMap((number) => {
    const item = newHeldUnit(parts, 'item', number);
    return [item, newHeldUnit(item, 'iteration', 0), newHeldUnit(item, 'iteration', 1)];
  });
  const rounds = [2, 10].flatMap((number) => {
    const iteration = newHeldUnit(polish, 'iteration', number);
    const { body } = polish.step.repeat ?? {};
    return [iteration, ...(body === undefined ? [] : newScope(body, iteration).units)];
  });
  return [parts, ...items, polish, ...rounds, last];
}

it('orders units as the definition has them, then by number, what holds others before what it holds', () => {
  const units = unitsInOrder();
  const paths = [
    'parts',
    ...['parts[0]', 'parts[0][0]', 'parts[0][1]'],
    ...['parts[1]', 'parts[1][0]', 'parts[1][1]'],
    'polish',
    ...['polish[2]', 'polish[2]/draft', 'polish[2]/check'],
    ...['polish[10]', 'polish[10]/draft', 'polish[10]/check'],
    'last',
  ];

  expect(units.map(({ path }) => path)).toEqual(paths);
  expect(units.toReversed().toSorted(compareUnits)).toEqual(units);
});

it('has one order for every pair of units, whichever is asked about first', () => {
  const units = unitsInOrder();
  const signs = units.map((a) => units.map((b) => Math.sign(compareUnits(a, b))));

  expect(signs).toEqual(units.map((_, left) => units.map((__, right) => Math.sign(left - right))));
});
