import type { NoteBus } from './note-bus.js';
import type { NoteListener } from './note-subscriptions.js';

/** Topics that several things need: each is listened to once, as long as one of them does. */
export class JoinedTopics {
  private readonly joined = new Map<string, { users: number; readonly leave: () => void }>();

  constructor(private readonly bus: Pick<NoteBus, 'join'>) {}

  come(topic: string, listener: NoteListener): void {
    const known = this.joined.get(topic);
    if (known === undefined) this.joined.set(topic, { users: 1, leave: this.bus.join(topic, listener) });
    else known.users += 1;
  }

  gone(topic: string): void {
    const known = this.joined.get(topic);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.joined.delete(topic);
    known.leave();
  }
}
