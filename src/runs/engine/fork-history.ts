import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AppError } from '../../kernel/failure.js';
import { Clock } from '../../platform/clock/clock.js';
import { BlobStore } from '../../platform/ports/blob.store.js';
import { runErrors } from '../domain/run.errors.js';
import type { EncodedEvent, HistoryPart, RunEvent } from '../domain/run.events.js';

/** Events in one piece. Pieces end at the same events whatever a fork begins at, so forks of one run share them. */
const PIECE_EVENTS = 500;

/** Past so many characters a piece ends earlier. */
const PIECE_CHARS = 4 * 1_048_576;

/**
 * Keeps the events that forks begin with, in pieces by the hash of their content.
 *
 * Events and not the state that they come to: a later version of the service reads them, as it reads any log.
 */
@Injectable()
export class ForkHistory {
  constructor(
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  /** Keeps the events of a log from its first on; durable when this resolves. */
  async keep(namespace: string, events: readonly EncodedEvent[]): Promise<readonly HistoryPart[]> {
    const parts: HistoryPart[] = [];
    for (const piece of piecesOf(events)) {
      const content = Buffer.from(piece.map(({ text }) => text).join('\n'));
      const hash = createHash('sha256').update(content).digest('hex');
      await this.blobs.put(namespace, { hash, content }, this.clock.now());
      parts.push({ hash, events: piece.length });
    }
    return parts;
  }

  /** The events of all pieces. @throws AppError `run.history-missing` */
  async read(namespace: string, parts: readonly HistoryPart[]): Promise<readonly RunEvent[]> {
    const pieces = await Promise.all(parts.map(({ hash }) => this.readPiece(namespace, hash)));
    return pieces.flat();
  }

  private async readPiece(namespace: string, hash: string): Promise<readonly RunEvent[]> {
    const content = await this.blobs.find(namespace, hash);
    if (content === undefined)
      throw AppError.of(runErrors['run.history-missing'], `a piece of the history is not kept: ${hash}`);
    const lines = Buffer.from(content).toString('utf8').split('\n');
    return lines.map((line) => JSON.parse(line) as RunEvent);
  }
}

function piecesOf(events: readonly EncodedEvent[]): readonly (readonly EncodedEvent[])[] {
  const pieces: EncodedEvent[][] = [];
  let piece: EncodedEvent[] = [];
  let chars = 0;
  for (const event of events) {
    if (piece.length === PIECE_EVENTS || (piece.length > 0 && chars + event.text.length > PIECE_CHARS)) {
      pieces.push(piece);
      piece = [];
      chars = 0;
    }
    piece.push(event);
    chars += event.text.length;
  }
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}
