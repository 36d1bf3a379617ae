import pg from 'pg';

/** Any number that no other advisory lock of the database has. */
const STANDBY_LOCK = 0x656e_7362;
const RETRY_MS = 1_000;

/**
 * The lock of the one active process, where several share a database without Redis. PostgreSQL gives it back when
 * its connection ends, however the process ends.
 */
export class StandbyLock {
  private client: pg.Client | undefined;
  private isClosed = false;

  constructor(private readonly config: pg.ClientConfig) {}

  /**
   * Waits in line and resolves when this process holds the lock. When the connection is lost later it waits in line
   * again in the background; until then two processes may be active, and the epoch of each claim decides.
   */
  async acquire(onWait?: () => void): Promise<void> {
    const client = new pg.Client(this.config);
    this.client = client;
    client.on('error', () => {
      void this.acquireAgain(client);
    });
    await client.connect();
    const { rows } = await client.query<{ readonly got: boolean }>('select pg_try_advisory_lock($1) as got', [
      STANDBY_LOCK,
    ]);
    if (rows[0]?.got === true) return;
    onWait?.();
    await client.query('select pg_advisory_lock($1)', [STANDBY_LOCK]);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.client?.end();
  }

  private async acquireAgain(lost: pg.Client): Promise<void> {
    while (!this.isClosed && this.client === lost) {
      try {
        await this.acquire();
      } catch {
        this.client = lost;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }
}
