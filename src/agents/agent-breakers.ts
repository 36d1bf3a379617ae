import { Injectable } from '@nestjs/common';
import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhenResult,
  type CircuitBreakerPolicy,
} from 'cockatiel';

import type { FailureKind } from '../kernel/failure.js';
import { agentErrors } from './agent.errors.js';
import type { AgentOutcome } from './agent.provider.js';

/** So many calls in a row must fail. */
const FAILURES = 5;
/** How long no call is let through then; the next one is a trial. */
const BROKEN_MS = 30_000;
/** How long others wait for a trial's end. */
const TRIAL_MS = 1_000;
/** Kinds of failure that say that the agent, and not the call, is in trouble. */
const TROUBLES: readonly FailureKind[] = ['upstream', 'unavailable', 'timeout'];

/** Leave to call; how the call ended is told once. */
export type Admission =
  | { readonly isAdmitted: true; end(outcome: AgentOutcome): void }
  | { readonly isAdmitted: false; readonly retryAfterMs: number };

interface Breaker {
  readonly policy: CircuitBreakerPolicy;
  /** In milliseconds since the epoch; meaningful while it is open. */
  openedAt: number;
}

/** A circuit breaker for each agent, for this process. */
@Injectable()
export class AgentBreakers {
  private readonly breakers = new Map<string, Breaker>();

  /** For how long an agent is not called because too many calls failed; undefined when it is. */
  brokenForMs(key: string): number | undefined {
    const breaker = this.breakers.get(key);
    if (breaker === undefined) return undefined;
    switch (breaker.policy.state) {
      case CircuitState.Open: {
        const leftMs = breaker.openedAt + BROKEN_MS - Date.now();
        return leftMs > 0 ? leftMs : undefined;
      }
      case CircuitState.HalfOpen:
        return TRIAL_MS;
      case CircuitState.Closed:
      case CircuitState.Isolated:
        return undefined;
    }
  }

  /** Lets a call through, unless the agent is broken. */
  admit(key: string): Admission {
    const retryAfterMs = this.brokenForMs(key);
    if (retryAfterMs !== undefined) return { isAdmitted: false, retryAfterMs };
    const { policy } = this.breakerOf(key);
    const ended = Promise.withResolvers<AgentOutcome>();
    void policy
      .execute(() => ended.promise)
      .then(
        () => {
          if (policy.state === CircuitState.Closed && !isTrouble(last)) this.breakers.delete(key);
        },
        () => undefined,
      );
    let last: unknown;
    return {
      isAdmitted: true,
      end: (outcome) => {
        last = outcome;
        ended.resolve(outcome);
      },
    };
  }

  private breakerOf(key: string): Breaker {
    const known = this.breakers.get(key);
    if (known !== undefined) return known;
    const policy = circuitBreaker(handleWhenResult(isTrouble), {
      halfOpenAfter: BROKEN_MS,
      breaker: new ConsecutiveBreaker(FAILURES),
    });
    const breaker: Breaker = { policy, openedAt: 0 };
    policy.onBreak(() => {
      breaker.openedAt = Date.now();
    });
    this.breakers.set(key, breaker);
    return breaker;
  }
}

function isTrouble(result: unknown): boolean {
  const outcome = result as AgentOutcome | undefined;
  if (outcome?.status !== 'failed') return false;
  const { kind, code } = outcome.failure;
  return TROUBLES.includes(kind) && code !== agentErrors['agent.output-invalid'].code;
}
