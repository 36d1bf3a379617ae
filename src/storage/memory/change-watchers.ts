/** Is told when the first one comes and when the last one has gone. */
export interface Presence {
  readonly come: (key: string) => void;
  readonly gone: (key: string) => void;
}

/** What changed for one watcher and was not asked for yet. */
class Changes {
  private ids = new Set<string>();
  private wake: (() => void) | undefined;

  add(runId: string): void {
    this.ids.add(runId);
    this.notify();
  }

  notify(): void {
    this.wake?.();
    this.wake = undefined;
  }

  /** All that changed since the last call, once there is something or the signal aborts. */
  async take(signal: AbortSignal): Promise<ReadonlySet<string>> {
    if (this.ids.size === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = this.ids;
    this.ids = new Set();
    return taken;
  }
}

/** Who wants to know which runs of a namespace change, within one process. */
export class ChangeWatchers {
  private readonly byNamespace = new Map<string, Set<Changes>>();

  constructor(private readonly presence?: Presence) {}

  /** Costs next to nothing when nobody watches. */
  changed(namespace: string, runId: string): void {
    for (const changes of this.byNamespace.get(namespace) ?? []) changes.add(runId);
  }

  /** See `RunFeed.watch`. What changes is gathered from the first time it is asked. */
  async *watch(namespace: string, signal: AbortSignal): AsyncGenerator<ReadonlySet<string>, void, undefined> {
    const changes = new Changes();
    const end = changes.notify.bind(changes);
    this.join(namespace, changes);
    signal.addEventListener('abort', end);
    try {
      while (!signal.aborted) {
        const ids = await changes.take(signal);
        if (ids.size > 0) yield ids;
      }
    } finally {
      signal.removeEventListener('abort', end);
      this.leave(namespace, changes);
    }
  }

  private join(namespace: string, changes: Changes): void {
    const watchers = this.byNamespace.get(namespace) ?? new Set();
    this.byNamespace.set(namespace, watchers.add(changes));
    if (watchers.size === 1) this.presence?.come(namespace);
  }

  private leave(namespace: string, changes: Changes): void {
    const watchers = this.byNamespace.get(namespace);
    watchers?.delete(changes);
    if (watchers?.size !== 0) return;
    this.byNamespace.delete(namespace);
    this.presence?.gone(namespace);
  }
}
