/** What an agent asked of a tool, and what came of it. */
import type { Json } from '../../kernel/json.js';

/** One call of a tool and its outcome. */
export interface ToolCall {
  /** The tool's name, as the model knows it. */
  readonly name: string;
  /** What the model calls this call; unique within the attempt. */
  readonly callId: string;
  readonly input: Json;
  /** What the tool answered; with `isError` what went wrong. */
  readonly output: Json;
  readonly isError?: boolean;
}
