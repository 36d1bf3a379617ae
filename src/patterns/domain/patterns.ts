/** Every pattern, in one typed table: one that is not here does not exist. */
import type { z } from 'zod';

import type { CompiledPattern } from './assembly.js';
import { conditional, conditionalSchema } from './conditional.pattern.js';
import { critique, critiqueSchema } from './critique.pattern.js';
import { debate, debateSchema } from './debate.pattern.js';
import { mapReduce, mapReduceSchema } from './map-reduce.pattern.js';
import { parallel, parallelSchema } from './parallel.pattern.js';
import { router, routerSchema } from './router.pattern.js';
import { sequential, sequentialSchema } from './sequential.pattern.js';
import { supervisor, supervisorSchema } from './supervisor.pattern.js';

/** The names of all patterns, in the order in which they are shown. */
export const PATTERN_NAMES = [
  ...['sequential', 'parallel', 'conditional', 'map-reduce'],
  ...['router', 'critique', 'debate', 'supervisor'],
] as readonly PatternName[];

/** The name of a pattern, as it stands in routes. */
export type PatternName =
  'sequential' | 'parallel' | 'conditional' | 'map-reduce' | 'router' | 'critique' | 'debate' | 'supervisor';

/** A pattern: the shape of its parameters, and what they are compiled to. Parameters are kept as they were sent. */
export interface Pattern<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly compile: (parameters: z.infer<Schema>) => CompiledPattern;
}

const PATTERNS = {
  sequential: { schema: sequentialSchema, compile: sequential },
  parallel: { schema: parallelSchema, compile: parallel },
  conditional: { schema: conditionalSchema, compile: conditional },
  'map-reduce': { schema: mapReduceSchema, compile: mapReduce },
  router: { schema: routerSchema, compile: router },
  critique: { schema: critiqueSchema, compile: critique },
  debate: { schema: debateSchema, compile: debate },
  supervisor: { schema: supervisorSchema, compile: supervisor },
} satisfies { readonly [N in PatternName]: unknown };

/** The pattern of a name; undefined when there is none. */
export function findPattern(name: string): Pattern | undefined {
  return Object.hasOwn(PATTERNS, name) ? (PATTERNS[name as PatternName] as unknown as Pattern) : undefined;
}
