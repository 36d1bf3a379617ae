import { Injectable, Logger } from '@nestjs/common';

/** Work that must be brought to a good place before the process ends. */
export interface DrainHook {
  /** For the log: `runs`, `sockets`. */
  readonly name: string;

  /**
   * Takes nothing new, and resolves when what is under way has ended or was handed back.
   *
   * @param deadline aborted when the time of grace is over: hand back what is left, at once
   */
  drain(deadline: AbortSignal): Promise<void>;
}

/** Ends work in good order. Features register a hook; the process drains before it closes. */
@Injectable()
export class DrainService {
  private readonly logger = new Logger('Drain');
  private readonly hooks: DrainHook[] = [];
  private draining: Promise<void> | undefined;

  /** True from the signal to stop on: the service is not ready any more. */
  get isDraining(): boolean {
    return this.draining !== undefined;
  }

  register(hook: DrainHook): void {
    this.hooks.push(hook);
  }

  /** Runs all hooks at once, once. Resolves when all have ended; a hook that fails is logged. */
  drain(graceMs: number): Promise<void> {
    this.draining ??= this.runHooks(AbortSignal.timeout(graceMs));
    return this.draining;
  }

  private async runHooks(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.hooks.map((hook) => this.runHook(hook, deadline)));
  }

  private async runHook(hook: DrainHook, deadline: AbortSignal): Promise<void> {
    try {
      await hook.drain(deadline);
    } catch (err) {
      this.logger.error({ err, hook: hook.name, msg: 'A part of the service did not drain' });
    }
  }
}
