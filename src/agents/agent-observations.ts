import { Injectable } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import type { ObservedHealth } from './domain/agent-status.js';
import type { Agent } from './domain/agent.js';

/** An agent that was called or asked about. */
export interface ObservedAgent {
  readonly namespace: string;
  readonly id: string;
}

interface Observation extends ObservedAgent {
  /** What its provider said last. */
  probed?: ObservedHealth;
  /** The version that was asked about. */
  version: number;
  /** When it was last called or asked about, in milliseconds since the epoch. */
  notedAt: number;
}

/** More are not remembered: those that nobody asked about for longest go. */
const MAX_OBSERVED = 10_000;

/** What this process knows of the health of agents that somebody uses. */
@Injectable()
export class AgentObservations {
  /** From the one that nobody asked about for longest. */
  private readonly observed = new Map<string, Observation>();

  constructor(private readonly clock: Clock) {}

  /** Somebody calls an agent, or asks about it. */
  note(namespace: string, { id, version }: Agent): void {
    const key = `${namespace}\n${id}`;
    const known = this.observed.get(key) ?? { namespace, id, version, notedAt: 0 };
    known.notedAt = this.clock.now();
    this.observed.delete(key);
    this.observed.set(key, known);
    if (this.observed.size > MAX_OBSERVED) this.observed.delete(this.observed.keys().next().value ?? '');
  }

  /** Keeps what the provider of an agent said that was noted. */
  keep(namespace: string, { id, version }: Agent, probed: ObservedHealth): void {
    const known = this.observed.get(`${namespace}\n${id}`);
    if (known !== undefined) Object.assign(known, { probed, version });
  }

  /** What the provider of this version said, not longer ago than that. */
  find(namespace: string, { id, version }: Agent, maxAgeMs: number): ObservedHealth | undefined {
    const found = this.observed.get(`${namespace}\n${id}`);
    if (found?.probed === undefined || found.version !== version) return undefined;
    return this.clock.now() - found.probed.checkedAt <= maxAgeMs ? found.probed : undefined;
  }

  /** Agents that were called or asked about since then. */
  since(instant: number): readonly ObservedAgent[] {
    return [...this.observed.values()].filter(({ notedAt }) => notedAt >= instant);
  }
}
