/** Notes that wait to be sent, by topic, with a bound on what they take. */

/** How much waits whole, in UTF-16 units; past that, and while nothing can be sent, only what notes are about is kept. */
const MAX_CHARS = 1_048_576;

/** Of how many things it is kept that there is something to tell. Past that nothing is: readers look by themselves. */
const MAX_REMINDERS = 10_000;

export interface Note {
  /** What it is about. A later reminder of the same thing takes the place of an earlier one. */
  readonly key: string;
  /** The note as it is sent. Called only when there is room for it. */
  readonly text: () => string;
  /** Sent in its place where there is no room. Absent: the note is then dropped. */
  readonly reminder?: string;
}

/** What is sent at once. */
export interface NoteBatch {
  readonly messages: readonly (readonly [topic: string, text: string])[];
  /** What is told again should it not arrive. */
  readonly reminders: readonly (readonly [topic: string, key: string, reminder: string])[];
}

class Waiting {
  readonly lines: string[] = [];
  /** Of notes that wait whole as well. */
  readonly sent = new Map<string, string>();
  readonly reminders = new Map<string, string>();
}

export class NoteOutbox {
  private topics = new Map<string, Waiting>();
  private chars = 0;
  private reminderCount = 0;

  get isEmpty(): boolean {
    return this.topics.size === 0;
  }

  /** @param isAway nothing can be sent at present */
  put(topic: string, note: Note, isAway: boolean): void {
    if (isAway || this.chars > MAX_CHARS) {
      if (note.reminder !== undefined) this.remind(topic, note.key, note.reminder);
      return;
    }
    const waiting = this.waiting(topic);
    const text = note.text();
    this.chars += text.length;
    waiting.lines.push(text);
    if (note.reminder !== undefined) waiting.sent.set(note.key, note.reminder);
  }

  /** All that waits, one message for each topic. */
  take(): NoteBatch {
    const topics = [...this.topics];
    this.topics = new Map();
    this.chars = 0;
    this.reminderCount = 0;
    return {
      messages: topics.map(([topic, { lines, reminders }]) => [
        topic,
        [...lines, ...reminders.values()].join('\n'),
      ]),
      reminders: topics.flatMap(([topic, { sent, reminders }]) =>
        Array.from(new Map([...sent, ...reminders]), ([key, text]) => [topic, key, text] as const),
      ),
    };
  }

  /** Takes back what did not arrive: of each thing one reminder, unless there is a later one. */
  putBack({ reminders }: NoteBatch): void {
    for (const [topic, key, reminder] of reminders) {
      const known = this.topics.get(topic);
      if (known?.reminders.has(key) === true || known?.sent.has(key) === true) continue;
      this.remind(topic, key, reminder);
    }
  }

  private remind(topic: string, key: string, reminder: string): void {
    if (this.reminderCount >= MAX_REMINDERS) return;
    const { reminders } = this.waiting(topic);
    if (!reminders.has(key)) this.reminderCount += 1;
    reminders.set(key, reminder);
  }

  private waiting(topic: string): Waiting {
    const known = this.topics.get(topic);
    if (known !== undefined) return known;
    const waiting = new Waiting();
    this.topics.set(topic, waiting);
    return waiting;
  }
}
