import { Injectable, Logger } from '@nestjs/common';

import { failureOf, type Failure } from '../kernel/failure.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { Clock } from '../platform/clock/clock.js';
import { IdSource } from '../platform/ids/id.source.js';
import { isRecordAway } from '../platform/ports/record-away.js';
import { Limiter, type BucketTake, type Reservation } from '../platform/ports/limiter.js';
import { AgentBreakers, type Admission } from './agent-breakers.js';
import { AgentObservations } from './agent-observations.js';
import { agentErrors } from './agent.errors.js';
import { CallGate, type CallEnd, type GateCall, type Passage } from './call.gate.js';
import type { AgentPlaces, Caller } from './domain/agent-condition.js';
import type { AgentLimits } from './domain/agent.js';
import { SLOT_TTL_MS, SlotLeases } from './slot-leases.js';
import { WaitingLine } from './waiting-line.js';

/** How often is asked again while slots are held by other processes, which do not tell when they give one back. */
const POLL_MS = 250;
/** The longest pause that an upstream may ask for. */
const MAX_PAUSE_MS = 900_000;
/** When a call of an agent that was taken offline may be made again. */
const OFFLINE_RETRY_MS = 5_000;

const REQUESTS = 'requests';
const TOKENS = 'tokens';

/** The line before an agent in this process, and the slots that are held by it. */
interface Door {
  readonly line: WaitingLine;
  held: number;
  /** In the order in which they came. */
  readonly waiting: Set<GateCall>;
  readonly holding: Set<GateCall>;
  /** What the first in line was refused for last. */
  obstacle?: AgentPlaces['obstacle'] | undefined;
}

/**
 * The limits of agents, shared by all processes, and their circuit breakers, of this process.
 *
 * Within a process calls wait in line; the first one asks the limiter, again when a call has ended here, and now and
 * then while other processes hold what it needs.
 */
@Injectable()
export class LimitGate extends CallGate {
  private readonly logger = new Logger(LimitGate.name);
  private readonly doors = new Map<string, Door>();

  constructor(
    private readonly limiter: Limiter,
    private readonly leases: SlotLeases,
    private readonly breakers: AgentBreakers,
    private readonly observations: AgentObservations,
    private readonly ids: IdSource,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async pass(call: GateCall): Promise<Result<Passage>> {
    const { namespace, agent } = call;
    this.observations.note(namespace, agent);
    const refusal = this.refusalOf(call);
    if (refusal !== undefined) return fail(refusal);
    if (!isLimited(agent.limits)) return this.admit(call, { settle: () => Promise.resolve() });
    const id = doorId(call);
    const door = this.doors.get(id) ?? newDoor();
    this.doors.set(id, door);
    const reserved = await this.waitAt(door, call);
    if (reserved.ok) return this.admit(call, reserved.value);
    this.closeUnused(id, door);
    return reserved;
  }

  override waiting(namespace: string, agentId: string): number {
    return this.doors.get(`${namespace}\n${agentId}`)?.line.length ?? 0;
  }

  override places(namespace: string, agentId: string): AgentPlaces {
    const door = this.doors.get(`${namespace}\n${agentId}`);
    if (door === undefined) return { waiting: [], holding: [] };
    const { obstacle } = door;
    return {
      waiting: callersOf(door.waiting),
      holding: callersOf(door.holding),
      ...(obstacle !== undefined && { obstacle }),
    };
  }

  override brokenForMs(namespace: string, agentId: string): number | undefined {
    return this.breakers.brokenForMs(`${namespace}\n${agentId}`);
  }

  private refusalOf(call: GateCall): Failure | undefined {
    const { key, isOffline } = call.agent;
    if (isOffline) {
      const message = `agent "${key}" was taken offline`;
      return failureOf(agentErrors['agent.offline'], message, { retryAfterMs: OFFLINE_RETRY_MS });
    }
    const retryAfterMs = call.isBreakable ? this.breakers.brokenForMs(doorId(call)) : undefined;
    return retryAfterMs === undefined ? undefined : broken(key, retryAfterMs);
  }

  /** Lets a call that has what it needs through its breaker; gives it back when that is open. */
  private async admit(call: GateCall, passage: Passage): Promise<Result<Passage>> {
    if (!call.isBreakable) return ok(passage);
    const admission: Admission = this.breakers.admit(doorId(call));
    if (!admission.isAdmitted) {
      const failure = broken(call.agent.key, admission.retryAfterMs);
      await passage.settle({ outcome: { status: 'failed', failure }, tokens: 0 });
      return fail(failure);
    }
    return ok({
      ...passage,
      settle: async (end) => {
        admission.end(end.outcome);
        await passage.settle(end);
      },
    });
  }

  private async waitAt(door: Door, call: GateCall): Promise<Result<Passage>> {
    door.waiting.add(call);
    try {
      return await this.comeFirst(door, call);
    } finally {
      door.waiting.delete(call);
    }
  }

  private async comeFirst(door: Door, call: GateCall): Promise<Result<Passage>> {
    if (!(await door.line.enter(call.signal))) return fail(busy(call));
    try {
      for (;;) {
        const tried = await this.reserve(door, call);
        if (tried.ok) return tried;
        if (call.signal.aborted) return fail(busy(call));
        await door.line.pause(tried.failure, call.signal);
        const refusal = this.refusalOf(call);
        if (refusal !== undefined) return fail(refusal);
      }
    } finally {
      door.line.leave();
    }
  }

  /** Leave to call, or how long to wait before asking again, in milliseconds. */
  private async reserve(door: Door, call: GateCall): Promise<Result<Passage, number>> {
    const reservation = this.reservationOf(call);
    const askedAt = this.clock.monotonic();
    const reserved = await this.limiter.reserve(reservation).catch(whileAway(call));
    if (reserved === undefined) return fail(POLL_MS);
    if (!reserved.held) {
      door.obstacle = { by: reserved.by, until: this.clock.now() + reserved.retryAfterMs };
      const isAllOurs = reservation.slots !== undefined && door.held >= reservation.slots;
      return fail(isAllOurs ? reserved.retryAfterMs : Math.min(reserved.retryAfterMs, POLL_MS));
    }
    door.held += 1;
    door.holding.add(call);
    door.obstacle = undefined;
    const { holder, slots } = reservation;
    return ok({
      ...(slots !== undefined && { signal: this.leases.keep(holder, askedAt) }),
      settle: (end) => this.settle(door, { call, reservation, end }),
    });
  }

  private reservationOf({ namespace, agent, estimatedTokens }: GateCall): Reservation {
    const { maxConcurrency, requestsPerMinute, tokensPerMinute } = agent.limits;
    const takes: BucketTake[] = [];
    if (requestsPerMinute !== undefined) {
      takes.push({ bucket: REQUESTS, amount: 1, perMinute: requestsPerMinute });
    }
    if (tokensPerMinute !== undefined) {
      takes.push({ bucket: TOKENS, amount: estimatedTokens, perMinute: tokensPerMinute });
    }
    const holder = this.ids.next('apd');
    const slots = maxConcurrency === undefined ? {} : { slots: maxConcurrency };
    return { namespace, key: agent.id, holder, ttlMs: SLOT_TTL_MS, takes, ...slots };
  }

  private async settle(
    door: Door,
    { call, reservation, end }: { call: GateCall; reservation: Reservation; end: CallEnd },
  ): Promise<void> {
    const { holder, slots, takes, ...key } = reservation;
    this.leases.drop(holder);
    const tokens = takes.find(({ bucket }) => bucket === TOKENS);
    const pauseMs = pauseAfter(end);
    try {
      if (slots !== undefined) await this.limiter.release(key, holder);
      if (tokens !== undefined && end.tokens !== undefined && end.tokens !== tokens.amount) {
        await this.limiter.adjust(key, TOKENS, end.tokens - tokens.amount);
      }
      if (pauseMs > 0) await this.limiter.pause(key, pauseMs);
    } catch (err) {
      this.logger.warn({
        err,
        agent: call.agent.key,
        msg: 'What a call held was not given back: its lease ends it',
      });
    } finally {
      door.held -= 1;
      door.holding.delete(call);
      door.line.stir();
      this.closeUnused(doorId(call), door);
    }
  }

  private closeUnused(id: string, door: Door): void {
    if (door.held === 0 && door.line.length === 0) this.doors.delete(id);
  }
}

/** A call of a run waits while the record is away; whoever calls for themselves is told. */
function whileAway({ caller }: GateCall): (error: unknown) => undefined {
  return (error) => {
    if (caller === undefined || !isRecordAway(error)) throw error;
    return undefined;
  };
}

function newDoor(): Door {
  return { line: new WaitingLine(), held: 0, waiting: new Set(), holding: new Set() };
}

function callersOf(calls: ReadonlySet<GateCall>): readonly Caller[] {
  return [...calls].flatMap(({ caller }) => caller ?? []);
}

function doorId({ namespace, agent }: GateCall): string {
  return `${namespace}\n${agent.id}`;
}

function isLimited({ maxConcurrency, requestsPerMinute, tokensPerMinute }: AgentLimits): boolean {
  return [maxConcurrency, requestsPerMinute, tokensPerMinute].some((limit) => limit !== undefined);
}

/** An upstream that has had enough says when it will take calls again. */
function pauseAfter({ outcome }: CallEnd): number {
  if (outcome.status !== 'failed' || outcome.failure.kind !== 'limited') return 0;
  return Math.min(outcome.failure.retryAfterMs ?? 0, MAX_PAUSE_MS);
}

function busy({ agent }: GateCall): Failure {
  return failureOf(agentErrors['agent.busy'], `the wait for a place at agent "${agent.key}" was ended`);
}

function broken(key: string, retryAfterMs: number): Failure {
  const message = `agent "${key}" failed too often in a row; it is not called for a while`;
  return failureOf(agentErrors['agent.unavailable'], message, { retryAfterMs });
}
