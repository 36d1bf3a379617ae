import type { Issue } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';

/** Every problem of one value, none when it is good. */
export type ValueCheck = (value: Json) => readonly Issue[];
