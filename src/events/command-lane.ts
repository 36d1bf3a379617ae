/** One piece of work that settles its own failures: it never rejects. */
type Work = () => Promise<void>;

interface Waiting {
  readonly key: string | undefined;
  readonly work: Work;
}

/**
 * Carries out the commands of one socket: those about the same run in the order in which they came, others at once,
 * a bounded number at a time.
 */
export class CommandLane {
  private waiting: Waiting[] = [];
  /** What is being carried out. */
  private readonly open = new Set<Waiting>();

  constructor(private readonly maxOpen: number) {}

  /** @param key what the command is about; commands without one wait for none */
  submit(key: string | undefined, work: Work): void {
    this.waiting.push({ key, work });
    this.startNext();
  }

  /** Forgets what has not begun. */
  clear(): void {
    this.waiting = [];
  }

  private startNext(): void {
    const busy = new Set([...this.open].map(({ key }) => key));
    this.waiting = this.waiting.filter((next) => {
      const mayStart = this.open.size < this.maxOpen && (next.key === undefined || !busy.has(next.key));
      busy.add(next.key);
      if (mayStart) this.start(next);
      return !mayStart;
    });
  }

  private start(next: Waiting): void {
    this.open.add(next);
    void next.work().finally(() => {
      this.open.delete(next);
      this.startNext();
    });
  }
}
