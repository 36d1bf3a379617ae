import { Injectable, Logger } from '@nestjs/common';

import { failureOf } from '../kernel/failure.js';
import { RunReader } from '../runs/run.reader.js';
import { runItemOf, type RunItem } from '../runs/run-item.js';
import type { Carried } from './carried.js';
import type { Connection } from './connection.js';
import type { Watched, WatchPayload } from './event.contract.js';
import { packetOf } from './packet.js';
import { SocketLimits } from './socket-limits.js';
import { SocketProblems } from './socket-problem.js';
import { socketErrors } from './socket.errors.js';
import { Watch, type Summary } from './watch.js';

/** How many runs the answer to a watch shows. */
const FIRST_ITEMS = 50;

/** How many rows are read at once. */
const ROWS_AT_ONCE = 200;

const NOT_TAKEN = 'The client did not take the runs that it watches in time. Watch them again';
const UNREADABLE = 'The runs cannot be read at present. Watch them again';

/** Who watches the runs of one namespace. */
interface Audience {
  readonly watches: Map<Connection, Watch>;
  readonly over: AbortController;
}

/**
 * Which client watches runs for its lists. The runs of a namespace that change are read once for all who watch it, a
 * few times a second at most; nothing is read while nobody watches or nothing changes.
 */
@Injectable()
export class WatchService {
  private readonly logger = new Logger('Sockets');
  private readonly audiences = new Map<string, Audience>();

  constructor(
    private readonly reader: RunReader,
    private readonly problems: SocketProblems,
    private readonly limits: SocketLimits,
  ) {}

  /** Reads the newest runs that match; `afterwards` makes what changes follow. */
  async watch(connection: Connection, filter: WatchPayload): Promise<Carried<Watched>> {
    this.unwatch(connection);
    const watch = new Watch(filter, connection.outbox);
    this.join(connection, watch); // before the list is read, so that nothing falls between the two
    const { items: rows } = await this.reader.list(connection.namespace, filter, { limit: FIRST_ITEMS });
    const items = rows.map(runItemOf);
    watch.show(items);
    return {
      result: { items },
      afterwards: () => {
        watch.begin();
      },
    };
  }

  /** Ends the watch of a client; does nothing when it has none. */
  unwatch(connection: Connection): void {
    const audience = this.audiences.get(connection.namespace);
    audience?.watches.get(connection)?.stop();
    audience?.watches.delete(connection);
    if (audience?.watches.size !== 0) return;
    audience.over.abort();
    this.audiences.delete(connection.namespace);
  }

  private join(connection: Connection, watch: Watch): void {
    const { namespace } = connection;
    connection.whenOver(this, () => {
      this.unwatch(connection);
    });
    const known = this.audiences.get(namespace);
    const audience = known ?? { watches: new Map(), over: new AbortController() };
    audience.watches.set(connection, watch);
    if (known !== undefined) return;
    this.audiences.set(namespace, audience);
    void this.follow(namespace, audience);
  }

  private async follow(namespace: string, audience: Audience): Promise<void> {
    const { signal } = audience.over;
    try {
      for await (const runIds of this.reader.watch(namespace, signal)) {
        await this.tell(namespace, audience, [...runIds]);
        await this.rest(signal);
      }
    } catch (err) {
      this.logger.error({ namespace, err, msg: 'Runs that are watched cannot be read' });
      for (const connection of [...audience.watches.keys()]) this.giveUp(connection, UNREADABLE);
    }
  }

  private async tell(namespace: string, { watches }: Audience, runIds: readonly string[]): Promise<void> {
    for (let from = 0; from < runIds.length; from += ROWS_AT_ONCE) {
      const rows = await this.reader.rows(namespace, runIds.slice(from, from + ROWS_AT_ONCE));
      const summaries = rows.map((row) => summaryOf(runItemOf(row)));
      for (const [connection, watch] of watches) {
        if (!summaries.every((summary) => watch.offer(summary))) this.giveUp(connection, NOT_TAKEN);
      }
    }
  }

  private giveUp(connection: Connection, why: string): void {
    connection.tell(this.problems.ofFailure(failureOf(socketErrors['watch.ended'], why)));
    this.unwatch(connection);
  }

  /** What changes meanwhile is told together. */
  private rest(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.limits.progressMs).unref();
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function summaryOf(item: RunItem): Summary {
  return { item, packet: packetOf('run.summary', item) };
}
