/** Which topics other processes want notes of, as far as this one has heard. */

/** How long a topic is wanted after it was last announced; three times as long as between two announcements. */
export const WANTED_MS = 15_000;

/**
 * Notes that nobody wants are not sent. Announcements may have been missed while nothing could be heard, and before:
 * then everything counts as wanted until each process has had the time to announce itself again.
 */
export class NoteInterest {
  private readonly wantedUntil = new Map<string, number>();
  private isHearing = false;
  private sureFrom = 0;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number) {}

  /** Announcements are heard from now on. */
  hearing(): void {
    this.isHearing = true;
    this.sureFrom = this.now() + WANTED_MS;
  }

  /** No announcement is heard until further notice. */
  deaf(): void {
    this.isHearing = false;
  }

  /** Another process wants these topics. */
  announced(topics: readonly string[]): void {
    const until = this.now() + WANTED_MS;
    for (const topic of topics) this.wantedUntil.set(topic, until);
  }

  isWanted(topic: string): boolean {
    if (!this.isHearing) return true;
    const now = this.now();
    const until = this.wantedUntil.get(topic);
    if (until !== undefined && until > now) return true;
    if (until !== undefined) this.wantedUntil.delete(topic);
    return now < this.sureFrom;
  }
}
