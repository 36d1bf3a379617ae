/**
 * Events of the log as followers read them: what stands at the head of a text is known at once, the rest is parsed when
 * somebody asks for it. Most followers look at the heads of most events only, and texts may be long.
 *
 * Decided here: which texts have a head that can be read by itself: those that `encodeEvent` makes, `data` last. A text
 * with escapes in its head is parsed whole.
 */
import type { EncodedEvent, RunEvent, RunEventType } from './run.events.js';

/** Who, when and what: an event without what it says. */
export type EventHead = Pick<RunEvent, 'runId' | 'seq' | 'type' | 'at' | 'stepId' | 'path'>;

export interface LoggedEvent extends EncodedEvent {
  readonly head: EventHead;
  /** False: the event says of nothing that was spent. True: it may. */
  readonly maySpend: boolean;
}

/**
 * Texts without a backslash only, so each is the string that it stands for. What follows is `attempt` or `data`: no
 * field of the head is left.
 */
const HEAD =
  /^\{"runId":"([^"\\]*)","seq":(\d+),"type":"([^"\\]*)","at":"([^"\\]*)",(?:"stepId":"([^"\\]*)",)?(?:"path":"([^"\\]*)",)?"(?:attempt|data)":/;

const SPENT = /"(?:usage|costMicros)":/;

/** An event from its text. */
export function loggedEvent(text: string): LoggedEvent {
  const head = HEAD.exec(text);
  if (head !== null) return new TextEvent(text, head);
  const event = JSON.parse(text) as RunEvent;
  return { event, text, head: event, maySpend: true };
}

class TextEvent implements LoggedEvent {
  readonly head: EventHead;
  private parsed: RunEvent | undefined;

  constructor(
    readonly text: string,
    [, runId = '', seq, type, at = '', stepId, path]: RegExpExecArray,
  ) {
    this.head = { runId, seq: Number(seq), type: type as RunEventType, at, stepId, path } as EventHead;
  }

  get event(): RunEvent {
    return (this.parsed ??= JSON.parse(this.text) as RunEvent);
  }

  get maySpend(): boolean {
    return SPENT.test(this.text);
  }
}
