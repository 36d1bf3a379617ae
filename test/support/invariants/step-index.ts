/** Finds what the definition says of the unit at a path. */
import { allSteps, type CompiledStep, type Graph } from '../../../src/workflows/domain/graph.js';

const COMPENSATE = '~compensate';
const INDEXES = /\[\d+\]/g;

/** A unit by its path. */
export interface PlacedStep {
  readonly step: CompiledStep;
  /** The path of its scope with a slash at the end; empty for the run's own. */
  readonly scope: string;
  /** Whether agents are called for it, or it waits: it holds no other units. */
  readonly isLeaf: boolean;
  /** Whether it undoes another unit. */
  readonly isCompensation: boolean;
}

export class StepIndex {
  private readonly byKey: ReadonlyMap<string, CompiledStep>;
  private readonly byScope = new Map<string, CompiledStep[]>();

  constructor(graph: Graph) {
    const steps = [...allSteps(graph)];
    this.byKey = new Map(steps.map((step) => [step.key, step]));
    for (const step of steps) {
      const scope = step.key.slice(0, step.key.length - step.id.length);
      const own = this.byScope.get(scope) ?? [];
      own[step.index] = step;
      this.byScope.set(scope, own);
    }
  }

  /** The step at a path. @throws RangeError when the definition has none */
  at(path: string): PlacedStep {
    const isCompensation = path.endsWith(COMPENSATE);
    const own = isCompensation ? path.slice(0, -COMPENSATE.length) : path;
    const step = this.byKey.get(own.replaceAll(INDEXES, ''));
    if (step === undefined) throw new RangeError(`the definition has no step at ${path}`);
    const scope = own.slice(0, own.lastIndexOf('/') + 1);
    const depth = own.slice(scope.length).match(INDEXES)?.length ?? 0;
    const isLeaf = isCompensation || (depth === step.layers.length && step.work.kind !== 'loop');
    return { step, scope, isLeaf, isCompensation };
  }

  /** Paths of the steps that the step at a path waits for. */
  dependenciesOf({ step, scope }: PlacedStep): readonly string[] {
    const siblings = this.byScope.get(step.key.slice(0, step.key.length - step.id.length)) ?? [];
    return step.dependencies.map((index) => `${scope}${siblings[index]?.id ?? ''}`);
  }

  /** Paths of the steps whose failures the step at a path catches. */
  caughtBy({ step, scope }: PlacedStep): readonly string[] {
    const siblings = this.byScope.get(step.key.slice(0, step.key.length - step.id.length)) ?? [];
    return step.catches.map((index) => `${scope}${siblings[index]?.id ?? ''}`);
  }
}
