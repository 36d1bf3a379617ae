/** Turns what zod found into issues with JSON Pointers. */
import type { core } from 'zod';

import type { Issue } from '../../kernel/failure.js';
import { pointerOf } from '../../kernel/json.js';

/** One issue per problem that was found, each with `code`; unknown fields are reported one by one. */
export function issuesOf(found: readonly core.$ZodIssue[], code: string): readonly Issue[] {
  return found.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        pointer: pointerOf([...path, key]),
        code,
        message: 'Unknown field',
      }));
    return [{ pointer: pointerOf(path), code, message: issue.message }];
  });
}
