/** Speaking to the API as a client does. */
import type { Json } from '../../src/kernel/json.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunView } from '../../src/runs/domain/view.js';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A client of one running service. */
export class Api {
  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  get<T>(path: string): Promise<Answer<T>> {
    return this.send<T>('GET', path, undefined, {});
  }

  post<T>(
    path: string,
    body: unknown = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    return this.send<T>('POST', path, JSON.stringify(body), headers);
  }

  put<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
    return this.send<T>('PUT', path, JSON.stringify(body), headers);
  }

  delete<T>(path: string): Promise<Answer<T>> {
    return this.send<T>('DELETE', path, undefined, {});
  }

  /** Posts text as it stands. */
  postText<T>(
    path: string,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    return this.send<T>('POST', path, text, headers);
  }

  /** Starts a run and answers it, however far it has come. */
  async start(definition: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<RunView> {
    const { status, body } = await this.post<RunView>('/runs', { definition, ...more });
    if (status !== 202)
      throw new Error(`the start was answered with ${String(status)}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Starts a run and waits for its end. */
  async finish(definition: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<RunView> {
    const { status, body } = await this.post<RunView>(
      '/runs',
      { definition, ...more },
      { Prefer: 'wait=30' },
    );
    if (status !== 200) throw new Error(`the run did not end: ${String(status)} ${JSON.stringify(body)}`);
    return body;
  }

  /** The whole log of a run. */
  async events(runId: string): Promise<readonly RunEvent[]> {
    const all: RunEvent[] = [];
    for (let more = true; more;) {
      const after = String(all.length);
      const page = await this.get<{ readonly items: RunEvent[]; readonly more: boolean }>(
        `/runs/${runId}/events?limit=1000&afterSeq=${after}`,
      );
      all.push(...page.body.items);
      more = page.body.more;
    }
    return all;
  }

  /** The run once its stream of events has ended. */
  async ended(runId: string): Promise<RunView> {
    const stream = await fetch(`${this.url}/api/v1/runs/${runId}/events`, {
      headers: { ...this.headers, accept: 'text/event-stream' },
    });
    await stream.text();
    return (await this.get<RunView>(`/runs/${runId}`)).body;
  }

  /** The first event of a type, as soon as the log has it. */
  async event(runId: string, type: string): Promise<RunEvent> {
    const leave = new AbortController();
    const stream = await fetch(`${this.url}/api/v1/runs/${runId}/events`, {
      headers: { ...this.headers, accept: 'text/event-stream' },
      signal: leave.signal,
    });
    try {
      for await (const event of eventsOf(stream)) if (event.type === type) return event;
      throw new Error(`run ${runId} ended without ${type}`);
    } finally {
      leave.abort();
    }
  }

  private async send<T>(
    method: string,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer<T>> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...this.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
    };
  }
}

/** The events of a stream as they come. */
export async function* eventsOf(stream: Response): AsyncGenerator<RunEvent> {
  let rest = '';
  for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
    const frames = (rest + Buffer.from(chunk).toString('utf8')).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      // Not by an expression: to those, lines end at U+2028 as well.
      const line = frame.split('\n').find((one) => one.startsWith('data: '));
      if (line !== undefined) yield JSON.parse(line.slice('data: '.length)) as RunEvent;
    }
  }
}

/** A step of the scripted agent. */
export function scripted(id: string, script: Json, more: Readonly<Record<string, Json>> = {}): Json {
  return { id, agent: 'scripted', input: script, ...more };
}
