import type { AgentPart } from '../../agents/agent.provider.js';
import { TaskFeed, type Unlisten } from '../../agents/task.feed.js';

type Listener = (part?: AgentPart) => void;

/** Notes within one process; listeners are called at once. */
export class InProcessTaskFeed extends TaskFeed {
  private readonly listeners = new Map<string, Set<Listener>>();

  override tellWork(namespace: string, agentKey: string): void {
    this.tell(workTopic(namespace, agentKey));
  }

  override onWork(namespace: string, agentKey: string, listener: () => void): Unlisten {
    return this.on(workTopic(namespace, agentKey), listener);
  }

  override tellTask(taskId: string, part?: AgentPart): void {
    this.tell(taskId, part);
  }

  override onTask(taskId: string, listener: Listener): Unlisten {
    return this.on(taskId, listener);
  }

  /** How many things are listened for. */
  get topicCount(): number {
    return this.listeners.size;
  }

  /** Tells those who listen for things number `from` to `to`, without it, to look: they may have missed something. */
  nudge(from: number, to: number): void {
    for (const topic of [...this.listeners.keys()].slice(from, to)) this.tell(topic);
  }

  private tell(topic: string, part?: AgentPart): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener(part);
  }

  private on(topic: string, listener: Listener): Unlisten {
    const present = this.listeners.get(topic) ?? new Set();
    // Wrapped, so that a function given twice listens twice.
    const own: Listener = (part) => {
      listener(part);
    };
    present.add(own);
    this.listeners.set(topic, present);
    return () => {
      if (present.delete(own) && present.size === 0) this.listeners.delete(topic);
    };
  }
}

/** Keys of agents hold no space, ids of tasks neither. */
function workTopic(namespace: string, agentKey: string): string {
  return `${namespace} ${agentKey}`;
}
