/** Blobs of a run that is driven by hand: every value is one, and nothing is at hand that was not asked for. */
import type { Json } from '../../src/kernel/json.js';
import { BlobRef, type Kept } from '../../src/runs/domain/kept.js';
import { keptIn, referencesIn, type KeptAs } from '../../src/runs/domain/kept-in-events.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { RunContents } from '../../src/runs/engine/run-contents.js';

const FIELDS = ['input', 'output', 'body', 'data'] as const;

export class SimulatedBlobs extends RunContents {
  /** How often something was asked for that was not at hand. */
  loads = 0;
  private readonly texts = new Map<string, string>();

  override keep(value: Json): Kept {
    return super.keep(value, 0);
  }

  /** Loads what a turn lacked. */
  load(missing: readonly BlobRef[]): void {
    this.loads += missing.length;
    for (const reference of missing) this.provide(reference, this.contentOf(reference));
  }

  /** A turn has come to these events: their blobs are in the record, and everything is let go. */
  settle(events: readonly RunEvent[]): void {
    for (const { hash, content } of this.takeNamed(events.flatMap(referencesIn)))
      if (content !== undefined) this.texts.set(hash, Buffer.from(content).toString('utf8'));
    this.endTurn();
    this.endTurn();
  }

  /** The event as it would be with its value in it. */
  whole(event: RunEvent): RunEvent {
    for (const field of FIELDS) {
      const { [`${field}Ref`]: _, ...data } = event.data as { readonly [key: string]: unknown };
      const kept = keptIn(event.data as KeptAs<typeof field>, field);
      if (BlobRef.is(kept)) return { ...event, data: { ...data, [field]: this.contentOf(kept) } } as RunEvent;
    }
    return event;
  }

  private contentOf({ hash }: BlobRef): Json {
    const text = this.texts.get(hash);
    if (text === undefined) throw new Error(`blob ${hash} was never put`);
    return JSON.parse(text) as Json;
  }
}
