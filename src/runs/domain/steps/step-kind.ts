/** What every kind of step says of itself to the engine. */
import type { Json, JsonObject } from '../../../kernel/json.js';
import type { StepKind, WorkOf } from '../../../workflows/domain/kinds/step-kinds.js';
import type { Resolution } from '../run.commands.js';

/** What a unit is resolved with. */
export interface Resolving {
  /** What its expressions see. */
  readonly scope: JsonObject;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The first signal of a name that nobody has taken yet. */
  readonly keptSignal: (name: string) => Json | undefined;
  /** How many runs are above this one, each with a step that waits for the next. */
  readonly runsAbove: number;
}

/** One kind of step, as the engine carries it out. Pure. */
export interface EngineKind<K extends StepKind> {
  /** Whether a unit of the kind takes one of the run's places while it is under way. */
  readonly needsPlace: boolean;
  /** How a unit goes on when it is its turn. `resolving` costs what the expressions read: ask for it only then. */
  resolve(work: WorkOf<K>, resolving: () => Resolving): Resolution;
}
