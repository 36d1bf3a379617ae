/**
 * Grouping: what is asked for at about the same time travels together.
 *
 * The first item leaves at once, together with what came in the same turn; while as many groups as allowed are under
 * way the next one fills. So a single item is never delayed, and under load groups grow by themselves.
 */
export interface GroupingOptions<T> {
  /** Groups under way at once. */
  readonly maxInFlight: number;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly bytesOf: (item: T) => number;
  /** Items with equal keys never travel together. Absent: any do. */
  readonly keyOf?: (item: T) => string;
}

/** The answer to one item of a group: an error of one says nothing about the others. */
export type Answer<R> = { readonly value: R } | { readonly error: Error };

interface Waiting<T, R> {
  readonly item: T;
  readonly bytes: number;
  readonly resolve: (value: R) => void;
  readonly reject: (error: Error) => void;
}

export class Grouping<T, R> {
  private readonly waiting: Waiting<T, R>[] = [];
  private inFlight = 0;
  private scheduled = false;
  private readonly holders: (() => void)[] = [];
  private readonly drainers: (() => void)[] = [];

  /** @param perform answers the items of a group, in order; a rejection is the answer to each of them */
  constructor(
    private readonly options: GroupingOptions<T>,
    private readonly perform: (items: readonly T[]) => Promise<readonly Answer<R>[]>,
  ) {}

  /** Resolves with the answer to this item. Groups leave in the order in which items came. */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, bytes: this.options.bytesOf(item), resolve, reject });
      this.schedule();
    });
  }

  /** Resolves when nothing is under way; nothing leaves then until the function that it gives is called. */
  async hold(): Promise<() => void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.holders.push(resolve));
    else this.inFlight = this.options.maxInFlight;
    return () => {
      this.inFlight = 0;
      this.proceed();
    };
  }

  /** Resolves when all that was added before, and all that came meanwhile, is answered. */
  async drain(): Promise<void> {
    if (this.isIdle()) return;
    await new Promise<void>((resolve) => this.drainers.push(resolve));
  }

  private isIdle(): boolean {
    return this.inFlight === 0 && this.waiting.length === 0;
  }

  private schedule(): void {
    if (this.scheduled || this.isFull()) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.proceed();
    });
  }

  private isFull(): boolean {
    return this.inFlight >= this.options.maxInFlight || this.holders.length > 0;
  }

  private proceed(): void {
    const holder = this.inFlight === 0 ? this.holders.shift() : undefined;
    if (holder !== undefined) {
      this.inFlight = this.options.maxInFlight;
      holder();
      return;
    }
    while (!this.isFull() && this.waiting.length > 0) void this.send(this.takeGroup());
    if (!this.isIdle()) return;
    for (const drained of this.drainers.splice(0)) drained();
  }

  private async send(group: readonly Waiting<T, R>[]): Promise<void> {
    this.inFlight += 1;
    try {
      const answers = await this.perform(group.map(({ item }) => item));
      group.forEach((one, index) => {
        settle(one, answers[index]);
      });
    } catch (error) {
      for (const { reject } of group) reject(error as Error);
    }
    this.inFlight -= 1;
    this.proceed();
  }

  private takeGroup(): readonly Waiting<T, R>[] {
    const { maxItems, maxBytes, keyOf } = this.options;
    const keys = new Set<string>();
    let bytes = 0;
    let count = 0;
    for (const one of this.waiting) {
      const key = keyOf?.(one.item);
      bytes += one.bytes;
      const isRoom = count < maxItems && bytes <= maxBytes && (key === undefined || !keys.has(key));
      if (count > 0 && !isRoom) break;
      if (key !== undefined) keys.add(key);
      count += 1;
    }
    return this.waiting.splice(0, count);
  }
}

function settle<T, R>(one: Waiting<T, R>, answer: Answer<R> | undefined): void {
  if (answer === undefined) one.reject(new Error('An item of a group was left unanswered'));
  else if ('error' in answer) one.reject(answer.error);
  else one.resolve(answer.value);
}
