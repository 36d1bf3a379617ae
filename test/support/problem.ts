import type { ProblemDocument } from '../../src/platform/http/problem.js';

/** The problem document of an answer; fails when the answer is something else. */
export async function problemIn(response: Response): Promise<ProblemDocument> {
  const type = response.headers.get('content-type');
  if (type?.startsWith('application/problem+json') !== true) {
    throw new Error(`Expected a problem, got ${response.status} ${type ?? ''}: ${await response.text()}`);
  }
  return (await response.json()) as ProblemDocument;
}
