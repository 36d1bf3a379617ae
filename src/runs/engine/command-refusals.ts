import { Injectable } from '@nestjs/common';

import type { Failure } from '../../kernel/failure.js';

/** Somebody waits to hear whether its command was refused. */
export interface Hearing {
  /** Resolves with the refusal; never when there is none. */
  readonly refusal: Promise<Failure>;
  /** Hears no more. */
  close(): void;
}

/**
 * Tells those who wait for a command in this process that the run refused it. A refusal leads to no event, so nothing
 * else tells of it. Where another process owns the run it sends a note.
 */
@Injectable()
export class CommandRefusals {
  private readonly hearings = new Map<string, (failure: Failure) => void>();

  /** Begins to wait for the refusal of the command with an id. */
  hear(commandId: string): Hearing {
    const refusal = new Promise<Failure>((resolve) => {
      this.hearings.set(commandId, resolve);
    });
    return { refusal, close: () => void this.hearings.delete(commandId) };
  }

  /** A command was refused. False when nobody waits for it in this process. */
  tell(commandId: string, failure: Failure): boolean {
    const hear = this.hearings.get(commandId);
    hear?.(failure);
    return hear !== undefined;
  }
}
