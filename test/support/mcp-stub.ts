/** A local MCP server over streamable HTTP, with a few tools. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A call of a tool as it came in. */
export interface ToolCallSeen {
  readonly tool: string;
  readonly input: unknown;
}

export class McpStub {
  /** Every call of a tool. */
  readonly calls: ToolCallSeen[] = [];
  /** The headers of every request. */
  readonly headers: IncomingHttpHeaders[] = [];
  /** Answers every request with this status instead. */
  refuseWith: number | undefined;
  /** What `wait` waits for. */
  gate: Promise<unknown> = Promise.resolve();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<McpStub> {
    const server = createServer();
    const stub = new McpStub(server);
    server.on('request', (request, response) => {
      stub.headers.push(request.headers);
      if (stub.refuseWith !== undefined) {
        response.writeHead(stub.refuseWith).end();
        return;
      }
      // Without sessions: a server and a transport for each request.
      const transport = new NodeStreamableHTTPServerTransport({});
      stub
        .toolServer()
        .connect(transport)
        .then(() => transport.handleRequest(request, response))
        .catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/mcp`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private toolServer(): McpServer {
    const server = new McpServer({ name: 'stub', version: '1.0.0' });
    const seen = (tool: string, input: unknown): void => void this.calls.push({ tool, input });
    server.registerTool(
      'add',
      {
        description: 'Adds two numbers',
        inputSchema: z.object({ a: z.number(), b: z.number() }),
        outputSchema: z.object({ sum: z.number() }),
      },
      ({ a, b }) => {
        seen('add', { a, b });
        const sum = a + b;
        return { content: [{ type: 'text', text: String(sum) }], structuredContent: { sum } };
      },
    );
    server.registerTool('fail', { description: 'Always fails', inputSchema: z.object({}) }, () => {
      seen('fail', {});
      return { content: [{ type: 'text', text: 'it did not work' }], isError: true };
    });
    server.registerTool('wait', { description: 'Waits', inputSchema: z.object({}) }, async () => {
      seen('wait', {});
      await this.gate;
      return { content: [{ type: 'text', text: 'waited' }] };
    });
    server.registerTool('draw', { description: 'Draws', inputSchema: z.object({}) }, () => ({
      content: [
        { type: 'text', text: 'a dot' },
        { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      ],
    }));
    return server;
  }
}
