/**
 * One thing that must be well for the service to be ready.
 *
 * Decided here: what an indicator says. Decided elsewhere: what is looked at (each feature registers its own), and
 * how long an indicator may take (health.service.ts).
 */
import type { Json } from '../kernel/json.js';

/** `down` takes the service out of rotation. */
export interface HealthStatus {
  readonly status: 'up' | 'down';
  /** For people and dashboards: numbers, a reason. No secrets: anybody may read it. */
  readonly detail?: { readonly [name: string]: Json };
}

export abstract class HealthIndicator {
  /** Unique, lower case: `record`, `queue`. */
  abstract readonly name: string;

  /** How it is now. Answers within a second; taking longer, or throwing, counts as down. */
  abstract check(): Promise<HealthStatus>;
}
