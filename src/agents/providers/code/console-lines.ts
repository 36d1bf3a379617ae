/** The lines that a program writes, for a reader who takes them as they come. */
export class ConsoleLines {
  readonly all: string[] = [];
  private arrived = Promise.withResolvers<false>();

  push(line: string): void {
    this.all.push(line);
    this.arrived.resolve(false);
  }

  /** Every line, each once, until `end` is settled. */
  async *until(end: Promise<unknown>): AsyncGenerator<string, void, void> {
    const over = end.then(() => true);
    for (let next = 0, isOver = false; ;) {
      while (next < this.all.length) yield this.all[next++] ?? '';
      if (isOver) return;
      isOver = await Promise.race([this.arrived.promise, over]);
      this.arrived = Promise.withResolvers();
    }
  }
}
