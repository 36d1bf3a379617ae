/**
 * Between a service and what it is connected to: connections can be cut, refused, and held without a word.
 *
 * A cut is what a killed server looks like, a hold what a dead network looks like.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

type State = 'open' | 'cut' | 'held';

export class TcpProxy {
  /** Bytes that came from clients, and connections that were opened, since the start. */
  readonly counts = { bytes: 0, connections: 0 };
  private readonly sockets = new Set<Socket>();
  /** Clients that came while nothing is carried: nothing of them reaches the server. */
  private readonly unheard = new Set<Socket>();
  private server: Server | undefined;
  private state: State = 'open';
  private port = 0;

  private constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** Listens on a free port of the loopback interface, before the host and port of a URL. */
  static async before(url: string, defaultPort: number): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy({ host: hostname, port: port === '' ? defaultPort : Number(port) });
    await proxy.listen();
    return proxy;
  }

  /** A URL that leads through this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(this.port);
    return changed.href;
  }

  /** Ends all connections, and refuses new ones. */
  async cut(): Promise<void> {
    this.state = 'cut';
    const closed = new Promise((resolve) => this.server?.close(resolve));
    this.dropAll();
    await closed;
  }

  /** Carries nothing more: connections stay, and nobody answers. */
  hold(): void {
    this.state = 'held';
    for (const socket of this.sockets) socket.pause();
  }

  /** Carries again what is sent. What was held arrives; who came meanwhile is to come again. */
  async mend(): Promise<void> {
    if (this.state === 'cut') await this.listen();
    this.state = 'open';
    for (const client of this.unheard) client.destroy();
    for (const socket of this.sockets) socket.resume();
  }

  /** Ends all connections once; new ones are welcome. */
  dropAll(): void {
    for (const socket of [...this.sockets, ...this.unheard]) socket.destroy();
  }

  async stop(): Promise<void> {
    if (this.state !== 'cut') await this.cut();
  }

  private async listen(): Promise<void> {
    // Paused from the start: what a client sends is read once the way to the server is there.
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
      this.counts.connections += 1;
      if (this.state === 'held') this.leaveUnheard(client);
      else this.carry(client);
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
  }

  private leaveUnheard(client: Socket): void {
    this.unheard.add(client);
    client.on('error', () => undefined);
    client.on('close', () => this.unheard.delete(client));
  }

  private carry(client: Socket): void {
    const upstream = connect({ ...this.target, noDelay: true });
    upstream.pause();
    this.join(client, upstream);
    this.join(upstream, client);
    client.on('data', (chunk: Buffer) => (this.counts.bytes += chunk.length));
    for (const socket of [client, upstream]) socket.resume();
  }

  /** Written out, because a pipe would resume by itself what is held. */
  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.pause();
    from.on('data', (chunk: Buffer) => {
      to.write(chunk);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
