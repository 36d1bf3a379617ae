/**
 * The loop of one run in the process that owns it: commands in, one append at a time, effects out.
 *
 * Decided here: the order of things around an append. Decided elsewhere: what happens to the run (domain/). What
 * comes in while an append is under way is decided together in the next. Nothing is published, invoked or answered
 * before it is durable.
 */
import { Logger } from '@nestjs/common';

import type { Turn } from '../../agents/agent.provider.js';
import { AppError, failureOf, type Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { advance, type Advance } from '../domain/advance.js';
import { evaluator } from '../domain/evaluate.js';
import type { BlobRef } from '../domain/kept.js';
import {
  hasStartable,
  isIdle,
  markInvoked,
  nextWakeAt,
  plannedInvocations,
  type Starts,
} from '../domain/plan.js';
import type { RunCommand } from '../domain/run.commands.js';
import type { Invocation } from '../domain/run.effects.js';
import { runErrors } from '../domain/run.errors.js';
import { encodeEvent, spentOf, type ArtifactRef, type RunEvent } from '../domain/run.events.js';
import { DEATHS_UNTIL_ALONE, mayProceed, type RunState } from '../domain/run.state.js';
import { isTerminal } from '../domain/run.status.js';
import { summaryOf } from '../domain/summary.js';
import type { Delta } from '../run.feed.js';
import type { InboxRow } from '../run.inbox.js';
import type { Claimed } from '../run.lease.js';
import type { AlsoRow, Append } from '../run.store.js';
import { alsoRowsOf, blobRowsOf } from './also-rows.js';
import type { ExecutionSlot } from './execution-slot.js';
import type { LoopTools } from './loop-tools.js';
import { deadlineOf } from '../domain/attempt-deadline.js';
import type { AttemptReport } from './attempt-report.js';
import { readByAttempt, RunAttempts, type AttemptListener } from './run-attempts.js';
import { RunCheckpoints } from './run-checkpoints.js';
import type { RunContents } from './run-contents.js';
import type { LoadedRun } from './run.loader.js';
import type { GatedRun } from './start.gate.js';
import { subRunIdOf } from './sub-run-rows.js';
import type { Timer } from './timer.service.js';

/**
 * A run that waits longer than this for its next timer is parked; one that waits for sub-runs, when nothing has come of
 * them for so long: each would load it again.
 */
const PARK_AFTER_MS = 10_000;

/** How many values are loaded at the same time. */
const LOADED_AT_ONCE = 16;

/** How long to wait before the record is asked again when it did not answer. */
const RECORD_RETRY_MS = 250;

/**
 * Why a loop drives its run: it was `created` here, `claimed` for execution, or claimed for `control` only, which
 * decides commands from outside without an execution slot and starts nothing.
 */
export type LoopMode = 'created' | 'claimed' | 'control';

/** Why a loop ended: `due` is parked, with something to do at once for whoever has a slot. */
export type LoopEnd = 'terminal' | 'parked' | 'due' | 'lost';

/** A claim, and the `inbox_seq` of its run as its holder knows it. */
export type Hold = Pick<Claimed, 'claim' | 'inboxSeq'>;

/** A run as its loop begins with it, and its large values. */
export interface Driven extends LoadedRun {
  readonly contents: RunContents;
}

interface Pending {
  readonly command: RunCommand;
  /** Called when the command's events are durable, or with the reason why there are none. */
  readonly settle?: (failure?: Failure) => void;
}

type Undated<T> = T extends unknown ? Omit<T, 'at'> : never;

export class RunLoop implements GatedRun, AttemptListener {
  private readonly logger = new Logger(RunLoop.name);
  private readonly attempts: RunAttempts;
  private readonly checkpoints: RunCheckpoints;
  private pending: Pending[] = [];
  private readers: (() => void)[] = [];
  private isTurning = false;
  /** The state has events that are not in the record yet. */
  private isAhead = false;
  private isPoked = false;
  private isStopping = false;
  private hasMail: boolean;
  private inboxSeq: number;
  private wake: { readonly at: number; readonly timer: Timer } | undefined;
  private lingersUntil = 0;
  private endedAs: LoopEnd | undefined;

  readonly state: RunState;
  readonly contents: RunContents;

  constructor(
    private readonly tools: LoopTools,
    private readonly claimed: Claimed,
    { state, contents, checkpointSeq }: Driven,
    private readonly options: {
      readonly mode: LoopMode;
      readonly slot: ExecutionSlot;
      readonly onEnd: (loop: RunLoop, why: LoopEnd) => void;
      /** Rows for other runs are in the record. */
      readonly onRows: (rows: readonly AlsoRow[]) => void;
    },
  ) {
    this.state = state;
    this.contents = contents;
    this.checkpoints = new RunCheckpoints(tools.record.store, checkpointSeq);
    this.attempts = new RunAttempts(tools.executor, this);
    this.inboxSeq = claimed.inboxSeq;
    this.hasMail = claimed.inboxSeq > 0;
  }

  get runId(): string {
    return this.state.runId;
  }

  get namespace(): string {
    return this.claimed.namespace;
  }

  /** What this loop drives its run by, and the last command that it has seen. */
  get hold(): Hold {
    return { claim: this.claimed.claim, inboxSeq: this.inboxSeq };
  }

  get holdsSlot(): boolean {
    return this.options.slot.isHeld;
  }

  /** Takes the run up: attempts that a former owner left open are interrupted, a queued run begins. */
  begin(): void {
    const { mode } = this.options;
    if (mode !== 'created') this.submit({ type: 'recover', epoch: this.claimed.claim.epoch });
    if (mode !== 'control') this.submit({ type: 'begin' });
    this.poke();
  }

  /** Something may have changed: take a turn. */
  poke(): void {
    this.isPoked = true;
    this.turn();
  }

  /** Something came into the inbox. */
  mail(): void {
    this.hasMail = true;
    this.turn();
  }

  /** Reads the state as it is in the record: never a turn whose append is still under way. */
  read<T>(reader: (state: RunState) => T): Promise<T> {
    if (!this.isAhead) return Promise.resolve(reader(this.state));
    return new Promise((resolve, reject) => {
      this.readers.push(() => {
        if (this.endedAs === 'lost') reject(new AppError(lostFailure(this.runId)));
        else resolve(reader(this.state));
      });
    });
  }

  /** Starts nothing more; attempts under way go on. */
  stopStarting(): void {
    this.isStopping = true;
    this.poke();
  }

  /** Gives the run back: open attempts are interrupted, the claim is released. */
  handBack(): void {
    this.isStopping = true;
    this.attempts.dropAll();
    this.submit({ type: 'hand-back', epoch: this.claimed.claim.epoch });
  }

  /** Drops the run at once: the claim is lost. What was under way is aborted and forgotten. */
  drop(): void {
    this.end('lost');
  }

  reported({ path, attempt, unit }: Invocation, report: AttemptReport): void {
    switch (report.status) {
      case 'completed':
        this.submit({ type: 'complete', path, attempt, ...resultOf(report), ...spentOf(report) });
        break;
      case 'failed': {
        const random = Math.random();
        this.submit({ type: 'fail', path, attempt, failure: report.failure, random, ...spentOf(report) });
        break;
      }
      case 'waiting': {
        const until = deadlineOf(unit)?.at;
        const waits = { for: 'task', ref: report.taskId, ...(until === undefined ? {} : { until }) } as const;
        this.submit({ type: 'suspend', path, attempt, ...waits });
        break;
      }
      case 'aborted':
        this.submit({ type: 'aborted', path, attempt });
        break;
    }
  }

  recorded({ path, attempt }: Invocation, turn: Omit<Turn, 'turn'>): Promise<void> {
    const { body, tool } = turn;
    const entry = { body, ...(tool === undefined ? {} : { tool }), ...spentOf(turn) };
    return new Promise((resolve, reject) => {
      this.submit({ type: 'record-turn', path, attempt, ...entry }, (failure) => {
        if (failure === undefined) resolve();
        else reject(new AppError(failure));
      });
    });
  }

  streamed(delta: Delta): void {
    this.tools.record.feed.publishDelta(delta);
  }

  private submit(command: Undated<RunCommand>, settle?: (failure?: Failure) => void): void {
    if (this.endedAs !== undefined) {
      settle?.(lostFailure(this.runId));
      return;
    }
    const dated = { ...command, at: this.tools.clock.now() } as RunCommand;
    this.pending.push(settle === undefined ? { command: dated } : { command: dated, settle });
    this.turn();
  }

  private turn(): void {
    if (this.isTurning || this.endedAs !== undefined) return;
    this.isTurning = true;
    void this.takeTurns();
  }

  /** Takes turns until nothing is left to do, one at a time. */
  private async takeTurns(): Promise<void> {
    await Promise.resolve(); // what is submitted in the same tick is decided together
    try {
      while (this.endedAs === undefined && this.hasWork()) await this.takeTurn();
    } catch (error) {
      this.logger.error({
        msg: 'the loop of a run failed: the run is dropped',
        runId: this.runId,
        err: error,
      });
      this.end('lost');
    } finally {
      this.isTurning = false;
    }
  }

  private hasWork(): boolean {
    return this.pending.length > 0 || this.hasMail || this.isPoked;
  }

  private async takeTurn(): Promise<void> {
    const rows = this.hasMail ? await this.readMail() : [];
    const taken = this.pending;
    this.pending = [];
    this.isPoked = false;
    const now = this.tools.clock.now();
    const mail = rows.map(({ command }) => ({ ...command, at: now, random: Math.random() }));
    const turn = await this.advance([...taken.map(({ command }) => command), ...mail], now);
    const isDurable = turn !== undefined && (await this.write(turn.events, rows));
    taken.forEach(({ settle }, index) =>
      settle?.(isDurable ? turn.refusals[index] : lostFailure(this.runId)),
    );
    if (isDurable) this.tellRefusals(rows, turn.refusals.slice(taken.length));
    if (!isDurable || !this.isStillOwner()) return;
    if (turn.isCut) this.isPoked = true;
    await this.carryOut(turn.events);
    if (this.endedAs !== undefined) return;
    if (isTerminal(this.state.status)) await this.leave(now, turn.events.length > 0);
    else await this.rest(now);
  }

  /** The run has ended, now or before something came in for it. */
  private async leave(now: number, isNow: boolean): Promise<void> {
    if (isNow) this.end('terminal');
    else await this.park(now, undefined);
  }

  /** Decides commands and what follows from them; what is read and not at hand is loaded. Undefined when the claim is lost. */
  private async advance(commands: readonly RunCommand[], now: number): Promise<Advance | undefined> {
    const { contents } = this;
    const turnOf = (left: readonly RunCommand[]): Advance =>
      advance(this.state, {
        commands: left,
        evaluator,
        contents,
        now,
        starts: (state) => this.starts(state, now),
        subRunId: (lineage) => subRunIdOf(this.runId, lineage),
      });
    contents.endTurn();
    let turn = turnOf(commands);
    while (turn.missing.length > 0) {
      this.isAhead = true;
      if (!(await this.provide(turn.missing))) return undefined;
      turn = joined(turn, turnOf(commands.slice(turn.refusals.length)));
    }
    return turn;
  }

  /** Puts values at hand. False when the claim is lost. */
  private async provide(references: readonly BlobRef[]): Promise<boolean> {
    const { contents: loader } = this.tools.record;
    for (let from = 0; from < references.length && this.endedAs === undefined; from += LOADED_AT_ONCE) {
      const some = references.slice(from, from + LOADED_AT_ONCE);
      await Promise.all(
        some.map(async (reference) => {
          const found = await this.persist(() => loader.find(this.namespace, reference));
          if (found !== undefined) this.contents.provide(reference, loader.require(found, reference));
        }),
      );
    }
    return this.endedAs === undefined;
  }

  private tellRefusals(rows: readonly InboxRow[], refusals: readonly (Failure | undefined)[]): void {
    for (const [index, { command }] of rows.entries()) {
      const refusal = refusals[index];
      if (refusal !== undefined && 'id' in command) this.tellRefusal(command.id, refusal);
    }
  }

  private tellRefusal(commandId: string, failure: Failure): void {
    const isHeard = this.tools.record.refusals.tell(commandId, failure);
    if (!isHeard) this.tools.queue.note({ kind: 'refused', commandId, failure });
  }

  /** Asked before anybody is called: the claim may have been lost while the append was under way. */
  private isStillOwner(): boolean {
    if (!this.tools.owner.believes() && !isTerminal(this.state.status)) this.end('lost');
    return this.endedAs === undefined;
  }

  private starts(state: RunState, now: number): Starts {
    if (this.startsNothing || !this.tools.gate.mayStart(this, state.deaths >= DEATHS_UNTIL_ALONE))
      return 'none';
    return this.options.slot.isHeld || this.takeSlot(now) ? 'all' : 'free';
  }

  private get startsNothing(): boolean {
    return this.isStopping || this.options.mode === 'control';
  }

  /** Takes the slot again that the run gave back, when there is something to do with it. */
  private takeSlot(now: number): boolean {
    return mayProceed(this.state) && hasStartable(this.state, now) && this.options.slot.take();
  }

  private async readMail(): Promise<readonly InboxRow[]> {
    this.hasMail = false;
    const mail = await this.persist(() => this.tools.record.inbox.pending(this.runId));
    if (mail === undefined) return [];
    this.inboxSeq = mail.inboxSeq;
    return mail.rows;
  }

  /** Makes a turn durable and tells of it. False when the claim is lost. */
  private async write(events: readonly RunEvent[], rows: readonly InboxRow[]): Promise<boolean> {
    const consumedInbox = rows.map(({ id }) => id);
    if (events.length === 0) {
      this.isAhead = false;
      this.releaseReaders();
      const { inbox } = this.tools.record;
      if (rows.length > 0) await this.persist(() => inbox.discard(this.claimed.claim, consumedInbox));
      return this.endedAs === undefined;
    }
    const append = this.appendOf(events, consumedInbox);
    this.isAhead = true;
    const isAppended = await this.commit(append);
    this.isAhead = false;
    if (isAppended) {
      this.tools.record.feed.publish(this.namespace, this.runId, append.events);
      if (append.also !== undefined) this.options.onRows(append.also);
    } else this.end('lost');
    this.releaseReaders();
    return isAppended;
  }

  private appendOf(events: readonly RunEvent[], consumedInbox: readonly number[]): Append {
    const { epoch } = this.claimed.claim;
    const expectedSeq = this.state.lastSeq - events.length;
    const { namespace, runId } = this;
    const now = this.tools.clock.now();
    const also = [
      ...alsoRowsOf(this, namespace, events),
      ...blobRowsOf(this.contents, events, { namespace, runId, at: now }),
    ];
    return {
      claim: this.claimed.claim,
      namespace,
      expectedSeq,
      appendId: `${epoch}.${expectedSeq}`, // one loop per epoch, one append per sequence number
      events: events.map(encodeEvent),
      summary: summaryOf(this.state, nextWakeAt(this.state, now)),
      consumedInbox,
      ...(also.length > 0 && { also }),
    };
  }

  /** Commits an append; one of unknown outcome is looked up first. */
  private async commit(append: Append): Promise<boolean> {
    const { store } = this.tools.record;
    const isAppended = await this.persist(async (isRepeated) => {
      if (isRepeated && (await store.findAppend(this.runId, append.expectedSeq, append.appendId))) {
        this.hasMail = true; // what came in meanwhile was not told
        return true;
      }
      const result = await store.append(append);
      if (result.outcome === 'refused') return false;
      if (result.inboxSeq !== this.inboxSeq) this.hasMail = true;
      return true;
    });
    return isAppended === true;
  }

  /** Asks the record until it answers, for as long as the lease is believed in; past that the loop ends. */
  private async persist<T>(ask: (isRepeated: boolean) => Promise<T>): Promise<T | undefined> {
    for (let isRepeated = false; ; isRepeated = true) {
      if (!this.tools.owner.believes()) this.end('lost');
      if (this.endedAs !== undefined) return undefined;
      try {
        return await ask(isRepeated);
      } catch (error) {
        this.logger.warn({ msg: 'the record did not answer: asking again', runId: this.runId, err: error });
        await new Promise<void>((resolve) => void this.tools.timers.after(RECORD_RETRY_MS, resolve));
      }
    }
  }

  private releaseReaders(): void {
    const readers = this.readers;
    this.readers = [];
    for (const read of readers) read();
  }

  /** What durable events ask for: abort what they ended, invoke what they started. */
  private async carryOut(events: readonly RunEvent[]): Promise<void> {
    for (const event of events) {
      if (event.type.endsWith('.cancelled') && event.stepId !== undefined)
        this.attempts.abort(event.path ?? event.stepId);
      if (event.type === 'run.cancelling') this.attempts.abortAll();
    }
    const invocations = isTerminal(this.state.status) ? [] : plannedInvocations(this.state);
    const missing = invocations.flatMap(readByAttempt).filter((reference) => !this.contents.has(reference));
    if (missing.length > 0 && !((await this.provide(missing)) && this.isStillOwner())) return;
    for (const invocation of invocations) this.attempts.start(invocation);
    markInvoked(this.state);
    this.tools.gate.setOpen(this.runId, this.attempts.size);
  }

  /** Whether the run goes on here: it is parked, waits for its next timer, or for sub-runs without its slot. */
  private async rest(now: number): Promise<void> {
    if (this.hasWork()) return;
    const { state } = this;
    const { slot } = this.options;
    if (!slot.isHeld && !this.startsNothing && this.takeSlot(now)) {
      this.isPoked = true;
      return;
    }
    this.checkpoints.passed(state);
    const wakeAt = nextWakeAt(state, now);
    if (isIdle(state) && this.isParkable(now, wakeAt)) {
      await this.park(now, wakeAt);
      return;
    }
    if (!this.awaitsSubRuns(now)) {
      this.setWake(now, wakeAt);
      return;
    }
    slot.give();
    if (this.lingersUntil <= now) this.lingersUntil = now + PARK_AFTER_MS;
    this.setWake(now, Math.min(wakeAt ?? Infinity, this.lingersUntil));
  }

  private isParkable(now: number, wakeAt: number | undefined): boolean {
    const { status, frontier } = this.state;
    const isEnding = status === 'cancelling' && frontier.subRuns.size > 0;
    if (isEnding && !this.isStopping) return false; // its sub-runs end soon, and it with them
    if (this.startsNothing || (status !== 'waiting' && !mayProceed(this.state))) return true;
    if (hasStartable(this.state, now)) return !this.options.slot.isHeld;
    const lingers = this.awaitsSubRuns(now) && now - this.state.lastAt < PARK_AFTER_MS;
    return !lingers && (wakeAt === undefined || wakeAt - now > PARK_AFTER_MS);
  }

  /** Whether nothing but sub-runs and timers can move the run. */
  private awaitsSubRuns(now: number): boolean {
    const { state } = this;
    return state.frontier.subRuns.size > 0 && isIdle(state) && !hasStartable(state, now);
  }

  private async park(now: number, wakeAt: number | undefined): Promise<void> {
    const { status } = this.state;
    const isDue = status === 'queued' || (mayProceed(this.state) && hasStartable(this.state, now));
    const { lease } = this.tools.record;
    const parked = await this.persist(async (isRepeated) => ({
      isDone: await lease.park(this.claimed.claim, this.inboxSeq, isDue ? now : wakeAt),
      mayHaveBeen: isRepeated,
    }));
    if (parked?.isDone === true) {
      this.checkpoints.parked(this.state);
      this.end(isDue ? 'due' : 'parked');
    } else if (parked?.mayHaveBeen === true)
      this.end('lost'); // by the ask that was not answered
    else await this.findOutWhyRefused();
  }

  /** A run is not parked because something came in, or because the claim is not this loop's any more. */
  private async findOutWhyRefused(): Promise<void> {
    const mail = await this.persist(() => this.tools.record.inbox.pending(this.runId));
    if (mail?.inboxSeq === this.inboxSeq) this.end('lost');
    else this.hasMail = true;
  }

  private setWake(now: number, at: number | undefined): void {
    if (this.wake?.at === at) return;
    this.wake?.timer.cancel();
    this.wake = undefined;
    if (at === undefined || at <= now) return;
    const timer = this.tools.timers.at(at, () => {
      this.wake = undefined;
      this.poke();
    });
    this.wake = { at, timer };
  }

  private end(why: LoopEnd): void {
    if (this.endedAs !== undefined) return;
    this.endedAs = why;
    this.wake?.timer.cancel();
    this.attempts.dropAll();
    for (const { settle } of this.pending) settle?.(lostFailure(this.runId));
    this.pending = [];
    this.releaseReaders();
    this.tools.gate.leave(this);
    this.options.onEnd(this, why);
  }
}

/** A turn and what followed when what it lacked was there. */
function joined(turn: Advance, next: Advance): Advance {
  const events = [...turn.events, ...next.events];
  return { ...next, events, refusals: [...turn.refusals, ...next.refusals] };
}

function lostFailure(runId: string): Failure {
  return failureOf(runErrors['run.owner-changed'], `run ${runId} is not driven by this process any more`);
}

function resultOf({ output, artifacts }: Extract<AttemptReport, { readonly status: 'completed' }>): {
  readonly output: Json;
  readonly artifacts?: readonly ArtifactRef[];
} {
  return artifacts === undefined ? { output } : { output, artifacts };
}
