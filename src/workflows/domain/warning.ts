/**
 * What may be a mistake in a definition and does not keep it from running.
 *
 * Decided here: the form of a warning. Decided elsewhere: each sort of warning (reachability.ts, schema-flow.ts,
 * step-variables.ts), and problems that refuse a definition, which are plain issues.
 */
import type { Issue } from '../../kernel/failure.js';
import type { workflowErrors } from './workflow.errors.js';

/** A finding that refuses nothing. Its pointer counts from the root of the definition. */
export interface Warning extends Issue {
  readonly severity: 'warning';
}

/** A warning of a declared code. */
export function warningAt(pointer: string, code: keyof typeof workflowErrors, message: string): Warning {
  return { pointer, code, message, severity: 'warning' };
}
