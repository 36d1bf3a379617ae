import { Injectable, Logger } from '@nestjs/common';

import { AppError, type Issue } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { instantOf } from '../../kernel/time.js';
import { JsonSchemaService } from '../../platform/json-schema/json-schema.service.js';
import type { SchemaCheck } from '../../templates/domain/variable.js';
import { compileDefinition } from '../../workflows/domain/compile-definition.js';
import type { Graph } from '../../workflows/domain/graph.js';
import { withSchemas } from '../../workflows/domain/step-schemas.js';
import { pinnedFor, withWorkflows } from '../../workflows/domain/pinned-workflow.js';
import { withTemplates } from '../../workflows/domain/step-templates.js';
import { evolve, replay } from '../domain/evolve.js';
import { FOLD_VERSION, stateOfText } from '../domain/fold-text.js';
import type { EncodedEvent, FirstEvent, RunEvent, RunManifest } from '../domain/run.events.js';
import { runErrors } from '../domain/run.errors.js';
import { initialState, type RunState } from '../domain/run.state.js';
import { DELIVERS_ITS_END } from '../domain/sub-run.js';
import { RunStore, type Checkpoint, type EventPage } from '../run.store.js';
import { ForkHistory } from './fork-history.js';
import { EVENTS_WITHOUT_CHECKPOINT } from './run-checkpoints.js';
import type { FoldText } from './run-folds.js';

/** Events read at once. */
const PAGE = 2_000;

/** Behaviours of runs that this version knows. */
const KNOWN_FLAGS: ReadonlySet<number> = new Set([DELIVERS_ITS_END]);

/** A run as the record has it. */
export interface LoadedRun {
  readonly state: RunState;
  /** The last event that a checkpoint stood for; 0 where all events were read. */
  readonly checkpointSeq: number;
}

/** A run as its events tell it. */
export interface WholeLog {
  readonly own: readonly EncodedEvent[];
  /** Of a fork: the events before its own. */
  readonly prior: readonly RunEvent[];
  /** Their fold; the caller owns it. */
  readonly state: RunState;
}

/** How many compiled definitions are kept. */
const MAX_GRAPHS = 200;

/** Loads a run: reads its log, or its checkpoint and what follows that, and folds it. */
@Injectable()
export class RunLoader {
  private readonly logger = new Logger(RunLoader.name);
  /** Compiled graphs by the definition's JSON, most recently used last: many runs share one definition. */
  private readonly graphs = new Map<string, Graph>();

  constructor(
    private readonly store: RunStore,
    private readonly schemas: JsonSchemaService,
    private readonly histories: ForkHistory,
  ) {}

  /** A run as the record has it now; undefined when it does not exist in that namespace. */
  async load(namespace: string, runId: string): Promise<LoadedRun | undefined> {
    const page = await this.store.read(namespace, runId, { afterSeq: 0, limit: EVENTS_WITHOUT_CHECKPOINT });
    if (page === undefined) return undefined;
    const saved = page.more ? await this.fromCheckpoint(runId, page) : undefined;
    const checkpointSeq = saved?.lastSeq ?? 0;
    const begun = saved ?? (await this.fold(namespace, undefined, page));
    const state = page.more && begun !== undefined ? await this.carryOn(namespace, begun) : begun;
    return state && { state, checkpointSeq };
  }

  /**
   * Adds the events to a state that the record has after it; undefined when the run does not exist in that namespace.
   * May be done to a state by several at once: each event is added by the first that has read it.
   */
  async carryOn(namespace: string, state: RunState): Promise<RunState | undefined> {
    for (let more = true; more;) {
      const afterSeq = state.lastSeq;
      const page = await this.store.read(namespace, state.runId, { afterSeq, limit: PAGE });
      if (page === undefined) return undefined;
      for (const { event } of page.events) if (event.seq > state.lastSeq) evolve(state, event);
      more = page.more && page.events.length > 0;
    }
    return state;
  }

  /**
   * The state of a fold that another process has shared, with the events after it; undefined when it is not of this
   * record, or can not be read.
   */
  async fromShared(namespace: string, runId: string, fold: FoldText): Promise<RunState | undefined> {
    const { seq, at, text } = fold;
    const [begin, end] = await Promise.all([
      this.store.read(namespace, runId, { afterSeq: 0, limit: 1 }),
      this.store.read(namespace, runId, { afterSeq: seq - 1, limit: 1 }),
    ]);
    const last = end?.events[0]?.event;
    if (begin === undefined || last?.seq !== seq || instantOf(last.at) !== at) return undefined;
    const state = this.readState(begin, { seq, state: text });
    return state && this.carryOn(namespace, state);
  }

  /** The state that the checkpoint of a run holds; undefined when it has none of use. */
  private async fromCheckpoint(runId: string, page: EventPage): Promise<RunState | undefined> {
    const checkpoint = await this.store.findCheckpoint(runId, FOLD_VERSION);
    return checkpoint && this.readState(page, checkpoint);
  }

  /** @param page has the first event of the run */
  private readState({ events }: EventPage, saved: Pick<Checkpoint, 'seq' | 'state'>): RunState | undefined {
    const first = events[0]?.event;
    if (first?.type !== 'run.queued' && first?.type !== 'run.forked') return undefined;
    try {
      const state = stateOfText(saved.state, first, this.graphOf(first));
      if (state.lastSeq === saved.seq) return state;
      throw new Error(`it is of event ${state.lastSeq}, not ${saved.seq}`);
    } catch (error) {
      const { runId } = first;
      this.logger.warn({ msg: 'a saved state can not be read: the whole log is', runId, err: error });
      return undefined;
    }
  }

  /** All events that the state of a run is folded from; undefined when it does not exist in that namespace. */
  async wholeLog(namespace: string, runId: string): Promise<WholeLog | undefined> {
    const own: EncodedEvent[] = [];
    for (let more = true; more;) {
      const page = await this.store.read(namespace, runId, { afterSeq: own.length, limit: PAGE });
      if (page === undefined) return undefined;
      own.push(...page.events);
      more = page.more && page.events.length > 0;
    }
    const [first] = own;
    if (first === undefined) return undefined;
    const { event } = first;
    const prior = event.type === 'run.forked' ? await this.histories.read(namespace, event.data.history) : [];
    const state = replay(
      own.map((encoded) => encoded.event),
      this.graphOf(event as FirstEvent),
      prior,
    );
    return { own, prior, state };
  }

  /** The state of a run as it was after an event; undefined when it does not exist in that namespace. */
  async stateAt(namespace: string, runId: string, seq: number): Promise<RunState | undefined> {
    const log = await this.wholeLog(namespace, runId);
    const events = log?.own.slice(0, seq).map(({ event }) => event) ?? [];
    const [first] = events;
    return first && replay(events, this.graphOf(first as FirstEvent), log?.prior);
  }

  /** The state of a run as it was when it had been created; undefined when it does not exist in that namespace. */
  async loadFirst(namespace: string, runId: string): Promise<RunState | undefined> {
    const page = await this.store.read(namespace, runId, { afterSeq: 0, limit: 1 });
    return page === undefined ? undefined : this.fold(namespace, undefined, page);
  }

  /** The state of a run that was created with these events. @param history the events before those of a fork */
  stateOf(events: readonly RunEvent[], graph: Graph, history: readonly RunEvent[] = []): RunState {
    return replay(events, graph, history);
  }

  private async fold(
    namespace: string,
    state: RunState | undefined,
    page: EventPage,
  ): Promise<RunState | undefined> {
    let folded = state;
    for (const { event } of page.events) {
      folded = folded === undefined ? await this.first(namespace, event) : evolve(folded, event);
    }
    return folded;
  }

  private async first(namespace: string, event: RunEvent): Promise<RunState> {
    switch (event.type) {
      case 'run.queued':
        return initialState(event, this.graphOf(event));
      case 'run.forked': {
        const history = await this.histories.read(namespace, event.data.history);
        return replay([event], this.graphOf(event), history);
      }
      default:
        throw new Error(`the log of ${event.runId} begins with ${event.type}`);
    }
  }

  /** The compiled definition that a run began with. @throws AppError `run.too-new` */
  graphOf({ runId, data: { definition, flags, manifest } }: FirstEvent): Graph {
    const unknown = flags.filter((flag) => !KNOWN_FLAGS.has(flag));
    if (unknown.length > 0) {
      throw AppError.of(
        runErrors['run.too-new'],
        `run ${runId} needs flags ${unknown.join(', ')}, unknown to this version`,
      );
    }
    const key = JSON.stringify([definition, manifest.templates ?? {}, ...inputSchemasOf(manifest)]);
    const graph = this.graphs.get(key) ?? this.compiled(definition, manifest, runId);
    this.graphs.delete(key);
    this.graphs.set(key, graph);
    if (this.graphs.size > MAX_GRAPHS) this.graphs.delete(this.graphs.keys().next().value ?? '');
    return graph;
  }

  /** A stored definition was checked when its run started; its size limit then may differ from today's. */
  private compiled(definition: unknown, manifest: RunManifest, runId: string): Graph {
    const { templates = {}, workflows = {}, definitions: pinned = {} } = manifest;
    const result = compileDefinition(definition, { maxSteps: Number.MAX_SAFE_INTEGER });
    if (!result.ok) throw notValid(runId, result.failure);
    const check: SchemaCheck = (schema, value) => this.schemas.validate(schema, value);
    const graph = withTemplates(result.value.graph, templates, check);
    if (!graph.ok) throw notValid(runId, graph.failure);
    const whole = withWorkflows(graph.value, { workflows, pinned }, check);
    return withSchemas(whole, result.value.definition, check);
  }
}

/** What the graph of a run knows of the workflows that its steps run. */
function inputSchemasOf({ workflows = {}, definitions = {} }: RunManifest): readonly Json[] {
  return Object.keys(workflows).map((reference) => [
    reference,
    pinnedFor(workflows, definitions, reference)?.definition.inputSchema ?? null,
  ]);
}

function notValid(runId: string, issues: readonly Issue[]): AppError {
  const message = `the definition of run ${runId} is not valid in this version`;
  return AppError.of(runErrors['run.too-new'], message, { issues });
}
