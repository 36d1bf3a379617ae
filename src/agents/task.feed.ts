/**
 * Notes between those who want tasks done and those who do them. A note that is lost costs time, never a task.
 *
 * Decided here: what is told. Decided elsewhere: what is true (task.store.ts); whoever is told looks there.
 */
import type { AgentPart } from './agent.provider.js';

/** Stops listening. */
export type Unlisten = () => void;

export abstract class TaskFeed {
  /** Tells that an agent has a task in the queue. Never throws. */
  abstract tellWork(namespace: string, agentKey: string): void;

  /** Calls back whenever an agent gets work, or may have got some. */
  abstract onWork(namespace: string, agentKey: string, listener: () => void): Unlisten;

  /** Tells that a task has changed; with a part, only that its worker got on. Never throws. */
  abstract tellTask(taskId: string, part?: AgentPart): void;

  /** Calls back whenever a task has changed or may have, or its worker got on. */
  abstract onTask(taskId: string, listener: (part?: AgentPart) => void): Unlisten;
}
