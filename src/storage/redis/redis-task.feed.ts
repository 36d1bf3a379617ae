/**
 * Notes of tasks across processes: within each at once, to the others over one topic, because they are few and short.
 *
 * While notes may be lost, those who listen are told to look all the same, a bounded number at a time.
 */
import type { OnApplicationShutdown } from '@nestjs/common';

import type { AgentPart } from '../../agents/agent.provider.js';
import { TaskFeed, type Unlisten } from '../../agents/task.feed.js';
import { InProcessTaskFeed } from '../memory/in-process-task.feed.js';
import { JoinedTopics } from './joined-topics.js';
import type { NoteBus } from './note-bus.js';
import { NudgeRounds } from './nudge-rounds.js';

const TOPIC = 'tasks';

/** As lines: `W namespace agentKey` work for an agent, `T taskId` a task has changed, `P taskId json` its worker got on. */
export class RedisTaskFeed extends TaskFeed implements OnApplicationShutdown {
  private readonly local = new InProcessTaskFeed();
  private readonly topics: JoinedTopics;
  private readonly rounds: NudgeRounds;

  constructor(private readonly bus: NoteBus) {
    super();
    this.topics = new JoinedTopics(bus);
    this.rounds = new NudgeRounds(this.local, bus);
    bus.onTurn(() => {
      this.rounds.begin();
    });
  }

  override tellWork(namespace: string, agentKey: string): void {
    this.local.tellWork(namespace, agentKey);
    this.tell(`W ${namespace} ${agentKey}`);
  }

  override onWork(namespace: string, agentKey: string, listener: () => void): Unlisten {
    return this.listening(this.local.onWork(namespace, agentKey, listener));
  }

  override tellTask(taskId: string, part?: AgentPart): void {
    this.local.tellTask(taskId, part);
    if (part === undefined) this.tell(`T ${taskId}`);
    else this.bus.publish(TOPIC, { key: taskId, text: () => `P ${taskId} ${JSON.stringify(part)}` });
  }

  override onTask(taskId: string, listener: (part?: AgentPart) => void): Unlisten {
    return this.listening(this.local.onTask(taskId, listener));
  }

  onApplicationShutdown(): void {
    this.rounds.close();
  }

  private tell(line: string): void {
    this.bus.publish(TOPIC, { key: line, reminder: line, text: () => line });
  }

  private listening(unlisten: Unlisten): Unlisten {
    let isOver = false;
    this.topics.come(TOPIC, this.take);
    if (!this.bus.isSure) this.rounds.begin();
    return () => {
      unlisten();
      if (!isOver) this.topics.gone(TOPIC);
      isOver = true;
    };
  }

  private readonly take = (lines: readonly string[]): void => {
    for (const line of lines) {
      const [kind, first = '', second = ''] = line.split(' ', 3);
      if (kind === 'W') this.local.tellWork(first, second);
      if (kind === 'T') this.local.tellTask(first);
      if (kind === 'P') this.local.tellTask(first, JSON.parse(line.slice(first.length + 3)) as AgentPart);
    }
  };
}
