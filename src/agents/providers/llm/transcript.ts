/** The journal of one attempt as it grows. */
import type { Journal, Turn } from '../../agent.provider.js';

export class Transcript {
  private readonly recorded: Turn[];

  constructor(private readonly journal: Journal) {
    this.recorded = [...journal.turns];
  }

  /** Everything recorded by this and earlier attempts. */
  get turns(): readonly Turn[] {
    return this.recorded;
  }

  /** Records a turn; resolves when it is durable. Rejects when the claim is lost. */
  async record(turn: Omit<Turn, 'turn'>): Promise<void> {
    await this.journal.record(turn);
    this.recorded.push({ ...turn, turn: (this.recorded.at(-1)?.turn ?? 0) + 1 });
  }
}
