import { Injectable, Logger } from '@nestjs/common';

import { AppError } from '../../kernel/failure.js';
import { EngineConfig } from '../../platform/config/app.config.js';
import type { Graph } from '../../workflows/domain/graph.js';
import { advance } from '../domain/advance.js';
import { evaluator } from '../domain/evaluate.js';
import { nextWakeAt } from '../domain/plan.js';
import { encodeEvent, type RunEvent } from '../domain/run.events.js';
import { runErrors } from '../domain/run.errors.js';
import { isTerminal } from '../domain/run.status.js';
import { summaryOf } from '../domain/summary.js';
import type { Claimed } from '../run.lease.js';
import type { InboxEntry } from '../run.inbox.js';
import type { RunHint, RunNote } from '../run.queue.js';
import type { AlsoRow, CreateResult, Creation, NewRun } from '../run.store.js';
import { alsoRowsOf, blobRowsOf } from './also-rows.js';
import { ExecutionSlot, type SlotSource } from './execution-slot.js';
import { LoopTools } from './loop-tools.js';
import { RunFolds } from './run-folds.js';
import { RunLoader } from './run.loader.js';
import { RunContents } from './run-contents.js';
import { RunLoop, type Driven, type Hold, type LoopEnd, type LoopMode } from './run.loop.js';
import { subRunIdOf } from './sub-run-rows.js';

/** How long a run that could not be driven here rests before somebody tries again. */
const RETAKE_AFTER_MS = 1_000;

/** How long handing everything back may take. */
const HAND_BACK_MS = 2_000;

/** How long to wait before the record is asked again when it did not answer. */
const RECORD_RETRY_MS = 250;

/** What a run is claimed for. */
type Wanted = 'claimed' | 'control' | 'nested';

/** How a run is driven: a nested one needs no free slot. */
interface Way {
  readonly mode: LoopMode;
  readonly isNested: boolean;
}

/** What waits for the end of a run has begun already. */
const HIGHEST_PRIORITY = 100;

/** Called when this process stops driving a run. */
export type LoopEndListener = (why: LoopEnd) => void;

/**
 * The runs that this process owns, and its execution slots.
 *
 * A slot is taken by a run that is executed here; runs that wait or are paused are parked and hold none.
 */
@Injectable()
export class RunEngine implements SlotSource {
  private readonly logger = new Logger(RunEngine.name);
  private readonly loops = new Map<string, RunLoop>();
  private readonly claiming = new Map<string, Promise<RunLoop | undefined>>();
  /** Runs that may be claimed without anybody driving them: a claim here waits until they are free, and is refused. */
  private readonly givingBack = new Map<string, PromiseWithResolvers<undefined>>();
  private readonly idle: (() => void)[] = [];
  private slotsTaken = 0;
  private isDraining = true;
  private onLoopEnd: LoopEndListener | undefined;

  constructor(
    private readonly tools: LoopTools,
    private readonly loader: RunLoader,
    private readonly config: EngineConfig,
    private readonly folds: RunFolds,
  ) {}

  /** Execution slots free now. */
  get freeSlots(): number {
    return this.isDraining ? 0 : Math.max(0, this.config.maxConcurrentRuns - this.slotsTaken);
  }

  /** Runs executed here now. */
  get executing(): number {
    return this.slotsTaken;
  }

  /** How many runs this process executes at once; 0 where it executes none, and only takes commands for them. */
  get slots(): number {
    return this.config.maxConcurrentRuns;
  }

  /** The runs that hold an execution slot here. */
  get executed(): readonly string[] {
    return [...this.loops.values()].filter(({ holdsSlot }) => holdsSlot).map(({ runId }) => runId);
  }

  /** Begins to take runs. */
  open(onLoopEnd: LoopEndListener): void {
    this.onLoopEnd = onLoopEnd;
    this.isDraining = false;
  }

  /** The loop of a run that this process owns. */
  find(runId: string): RunLoop | undefined {
    return this.loops.get(runId);
  }

  /**
   * Creates a run. With a free slot it is claimed by this process as it is created and takes its first turn in the
   * same write, so its first steps start as soon as the run exists; otherwise it is queued.
   *
   * @param history the events before those of a fork
   */
  async create(
    creation: Omit<Creation, 'ownerId'>,
    graph: Graph,
    history: readonly RunEvent[] = [],
  ): Promise<CreateResult> {
    const givingBack = this.givingBack.get(creation.run.id);
    if (givingBack !== undefined) await givingBack.promise;
    const isNested = creation.run.parentId !== undefined;
    const hasPlace = this.freeSlots > 0 || (isNested && this.takesNested);
    if (!hasPlace || !this.tools.owner.believes()) return this.tools.record.store.create(creation);
    const ownerId = this.tools.owner.id;
    const { run, state, contents, also } = this.firstTurn(creation.run, graph, history);
    const hasEnded = isTerminal(state.status);
    this.slotsTaken += 1;
    let result: CreateResult | undefined;
    try {
      result = await this.tools.record.store.create({
        ...unqueued(creation),
        run,
        also: [...(creation.also ?? []), ...also],
        ...(hasEnded ? {} : { ownerId }),
      });
    } catch (error) {
      // It may have been created all the same, claimed by this process.
      this.giveBack({ claim: { runId: creation.run.id, ownerId, epoch: 1 }, inboxSeq: 0 }, 'soon');
      throw error;
    } finally {
      this.slotsTaken -= 1;
    }
    if (result.outcome !== 'created') return result;
    this.tools.record.feed.publish(run.namespace, run.id, run.events);
    this.notify(also);
    if (hasEnded || ownerId !== this.tools.owner.id) return result;
    const claim = { runId: run.id, ownerId, epoch: 1 };
    const claimed = { claim, namespace: run.namespace, lastSeq: state.lastSeq, inboxSeq: 0 };
    this.adopt(claimed, { state, contents, checkpointSeq: 0 }, { mode: 'created', isNested });
    return result;
  }

  /**
   * Claims a run for execution, when there is a slot, or for control. Undefined when another owner has it. A nested run
   * is executed with or without a free slot: its parent waits for it with its own.
   */
  claim(runId: string, mode: Wanted, seenEpoch?: number): Promise<RunLoop | undefined> {
    const owned = this.loops.get(runId);
    if (owned !== undefined) return Promise.resolve(owned);
    const givingBack = this.givingBack.get(runId);
    if (givingBack !== undefined) return givingBack.promise;
    const under = this.claiming.get(runId);
    if (under !== undefined) return under;
    const promise = this.claimAndLoad(runId, mode, seenEpoch).finally(() => this.claiming.delete(runId));
    this.claiming.set(runId, promise);
    return promise;
  }

  /** What another process says of a run that is driven here, or of a command that was sent from here. */
  hear(note: RunNote): void {
    if (note.kind === 'mail') this.find(note.runId)?.mail();
    else this.tools.record.refusals.tell(note.commandId, note.failure);
  }

  /** Tells whoever drives a run elsewhere that something came in for it, or somebody who could drive it. */
  callFor(runId: string, priority: number): void {
    this.tools.queue.note({ kind: 'mail', runId });
    this.tools.queue.hint({ runId, priority });
  }

  /** Drops every run at once: the lease is lost. */
  dropAll(): void {
    for (const runId of [...this.givingBack.keys()]) this.hasGivenBack(runId);
    for (const loop of [...this.loops.values()]) loop.drop();
  }

  /** Starts nothing more, lets attempts finish until the signal aborts, then hands everything back. */
  async drain(signal: AbortSignal): Promise<void> {
    this.isDraining = true;
    for (const loop of this.loops.values()) loop.stopStarting();
    await this.whenEmpty(signal);
    for (const loop of this.loops.values()) loop.handBack();
    const late = new AbortController();
    const timer = this.tools.timers.after(HAND_BACK_MS, () => {
      late.abort();
    });
    await this.whenEmpty(late.signal);
    timer.cancel();
  }

  /** Whether a run that somebody waits for here is executed without a free slot. */
  private get takesNested(): boolean {
    return !this.isDraining && this.slots > 0;
  }

  /** The run as it is after its first turn in this process. */
  private firstTurn(
    run: NewRun,
    graph: Graph,
    history: readonly RunEvent[],
  ): Pick<Driven, 'state' | 'contents'> & { readonly run: NewRun; readonly also: readonly AlsoRow[] } {
    const now = this.tools.clock.now();
    const state = this.loader.stateOf(
      run.events.map(({ event }) => event),
      graph,
      history,
    );
    const contents = new RunContents();
    const { events } = advance(state, {
      commands: [{ type: 'begin', at: now }],
      evaluator,
      contents,
      now,
      starts: () => (this.tools.gate.isOpen ? 'all' : 'none'),
      subRunId: (lineage) => subRunIdOf(state.runId, lineage),
    });
    const summary = summaryOf(state, nextWakeAt(state, now));
    const { namespace, id: runId } = run;
    const also = [
      ...alsoRowsOf({ state, contents }, namespace, events),
      ...blobRowsOf(contents, events, { namespace, runId, at: now }),
    ];
    const begun = { ...run, summary, events: [...run.events, ...events.map(encodeEvent)] };
    return { run: begun, state, contents, also };
  }

  private async claimAndLoad(
    runId: string,
    wanted: Wanted,
    seenEpoch: number | undefined,
  ): Promise<RunLoop | undefined> {
    const { owner } = this.tools;
    if (!owner.believes()) return undefined;
    const mayExecute = wanted === 'nested' ? this.takesNested : wanted === 'claimed' && this.freeSlots > 0;
    const mode = mayExecute ? 'claimed' : 'control';
    if (mode === 'claimed') this.slotsTaken += 1;
    try {
      const ownerId = owner.id;
      const claimed = await this.claimAs(ownerId, runId, seenEpoch);
      if (claimed === undefined || ownerId !== owner.id) return undefined;
      return await this.load(claimed, { mode, isNested: wanted === 'nested' });
    } finally {
      if (mode === 'claimed') this.slotsTaken -= 1;
    }
  }

  private async claimAs(ownerId: string, runId: string, seenEpoch?: number): Promise<Claimed | undefined> {
    try {
      return await this.tools.record.lease.claim(runId, ownerId, seenEpoch);
    } catch (error) {
      // It may have been claimed all the same.
      if (seenEpoch !== undefined)
        this.giveBack({ claim: { runId, ownerId, epoch: seenEpoch + 1 }, inboxSeq: 0 }, 'soon');
      throw error;
    }
  }

  /** A run that is too new is left alone: not due again by itself. One that can not be loaded now is tried later. */
  private async load(claimed: Claimed, way: Way): Promise<RunLoop | undefined> {
    const { runId } = claimed.claim;
    try {
      const loaded = await this.loader.load(claimed.namespace, runId);
      // Where the lease was lost meanwhile, the claim went with it.
      if (claimed.claim.ownerId !== this.tools.owner.id) return undefined;
      if (loaded !== undefined) return this.adopt(claimed, { ...loaded, contents: new RunContents() }, way);
      await this.tools.record.lease.park(claimed.claim, claimed.inboxSeq, undefined);
    } catch (error) {
      this.logger.error({ msg: 'a run could not be loaded', runId, err: error });
      this.giveBack(claimed, isTooNew(error) ? 'never' : 'soon');
    }
    return undefined;
  }

  private adopt(claimed: Claimed, driven: Driven, { mode, isNested }: Way): RunLoop {
    const isExecuted = mode !== 'control';
    const loop = new RunLoop(this.tools, claimed, driven, {
      mode,
      slot: new ExecutionSlot(this, isExecuted, isNested),
      onEnd: (ended, why) => {
        this.ended(ended, why);
      },
      onRows: (rows) => {
        this.notify(rows);
      },
    });
    this.loops.set(loop.runId, loop);
    if (isExecuted) this.slotsTaken += 1;
    if (this.isDraining) loop.stopStarting();
    loop.begin();
    return loop;
  }

  private ended(loop: RunLoop, why: LoopEnd): void {
    if (this.loops.get(loop.runId) === loop) this.loops.delete(loop.runId);
    if (loop.holdsSlot) this.slotsTaken -= 1;
    if (this.loops.size === 0) for (const done of this.idle.splice(0)) done();
    if (why === 'lost') this.giveBack(loop.hold, 'soon');
    else this.folds.left(loop.namespace, loop.state);
    if (why === 'due' && this.freeSlots === 0) this.tools.queue.hint(hintOf(loop));
    this.tell(why);
  }

  takeSlot(isNested: boolean): boolean {
    const isFree = this.freeSlots > 0 || (isNested && this.takesNested);
    if (isFree) this.slotsTaken += 1;
    return isFree;
  }

  giveSlot(): void {
    this.slotsTaken -= 1;
    this.tell('parked');
  }

  /** Rows for other runs are in the record: whoever drives those here reads them, others are told. */
  private notify(rows: readonly AlsoRow[]): void {
    const { queue } = this.tools;
    for (const row of rows) {
      if (row.kind === 'run') queue.hint({ runId: row.run.id, priority: row.run.priority });
      if (row.kind === 'inbox') this.mail(row.entry);
    }
  }

  /** A run that is cancelled needs no slot to end. */
  private mail({ runId, command }: InboxEntry): void {
    const loop = this.loops.get(runId);
    if (loop !== undefined) loop.mail();
    else if (command.type !== 'cancel') this.callFor(runId, HIGHEST_PRIORITY);
    else {
      this.claim(runId, 'control').then(
        (claimed) => {
          if (claimed !== undefined) claimed.mail();
          else this.tools.queue.note({ kind: 'mail', runId });
        },
        (error: unknown) => {
          this.logger.warn({ msg: 'a sub-run could not be claimed to be cancelled', runId, err: error });
        },
      );
    }
  }

  private tell(why: LoopEnd): void {
    if (!this.isDraining) this.onLoopEnd?.(why);
  }

  /**
   * Frees a run that this process may still own and does not drive, so that it is found again. Does nothing to a run
   * that is another's by now, or that a claim under way has won for a loop of its own: that has the same epoch. A lease
   * that is lost frees its runs by itself.
   *
   * @param again when the run is due again by itself; what has come in makes it due at once
   */
  private giveBack({ claim, inboxSeq }: Hold, again: 'soon' | 'never'): void {
    const { runId } = claim;
    if (!this.givingBack.has(runId)) this.givingBack.set(runId, Promise.withResolvers());
    const under = this.claiming.get(runId);
    if (under === undefined) this.free({ claim, inboxSeq }, again);
    else
      void under
        .catch(() => undefined)
        .then(() => {
          this.free({ claim, inboxSeq }, again);
        });
  }

  private free({ claim, inboxSeq }: Hold, again: 'soon' | 'never'): void {
    const { owner, record, timers, clock } = this.tools;
    const { runId, ownerId } = claim;
    if (owner.id !== ownerId || !owner.believes() || this.loops.has(runId)) {
      this.hasGivenBack(runId);
      return;
    }
    const wakeAt = again === 'soon' ? clock.now() + RETAKE_AFTER_MS : undefined;
    const parkOrRelease = async (): Promise<void> => {
      if (!(await record.lease.park(claim, inboxSeq, wakeAt))) await record.lease.release(claim);
    };
    parkOrRelease().then(
      () => {
        this.hasGivenBack(runId);
        this.tell('lost');
      },
      (error: unknown) => {
        this.logger.warn({ msg: 'a run could not be given back yet', runId, err: error });
        timers.after(RECORD_RETRY_MS, () => {
          this.free({ claim, inboxSeq }, again);
        });
      },
    );
  }

  private hasGivenBack(runId: string): void {
    const givingBack = this.givingBack.get(runId);
    this.givingBack.delete(runId);
    givingBack?.resolve(undefined);
  }

  private whenEmpty(signal: AbortSignal): Promise<void> {
    if (this.loops.size === 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle.push(resolve);
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
  }
}

/** A run that is executed at once does not queue: no limit of the queue refuses it. */
function unqueued({ idempotency }: Creation): Pick<Creation, 'idempotency'> {
  return idempotency === undefined ? {} : { idempotency };
}

function hintOf({ runId, state }: RunLoop): RunHint {
  return { runId, priority: state.queued.options.priority };
}

function isTooNew(error: unknown): boolean {
  return AppError.is(error) && error.failure.code === runErrors['run.too-new'].code;
}
