/** Where in a definition something could not be evaluated. */
import type { Failure } from '../../kernel/failure.js';

/** A failure with the field of the step, or of the run, that it is about. */
export function located(failure: Failure, field: string): Failure {
  return { ...failure, message: `${field}: ${failure.message}`, details: { ...failure.details, field } };
}
