/**
 * Follows a run over Socket.IO from any of its events to its end, through lost connections and restarts of the
 * service: each event once, in order, without a gap. Needs the package socket.io-client, nothing else.
 */
import { io, type Socket } from 'socket.io-client';

/** An event of a run, as `docs/events.md` lists them. */
export interface RunEvent {
  readonly runId: string;
  /** 1, 2, 3, … within the run. */
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly stepId?: string;
  readonly attempt?: number;
  readonly data: unknown;
}

export interface FollowOptions {
  /** Where the service is, such as `http://localhost:3000`. */
  readonly url: string;
  /** The API key; not needed on the machine of a service without keys. */
  readonly token?: string;
  readonly runId: string;
  /** The last event that the caller has. @default 0: all events are wanted */
  readonly afterSeq?: number;
  readonly onEvent: (event: RunEvent) => void;
}

export interface Following {
  /** Resolves with the run's last event; rejects when the service refuses the key, the run, or the number. */
  readonly ended: Promise<RunEvent>;
  readonly stop: () => void;
  readonly socket: Socket;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  readonly details?: { readonly runId?: string };
}
type Answer = { readonly ok: true } | { readonly ok: false; readonly problem: Problem };

const TERMINAL = ['run.completed', 'run.failed', 'run.cancelled'];
const RETRY_MS = 1_000;

export function followRun({ url, token, runId, afterSeq = 0, onEvent }: FollowOptions): Following {
  const { promise: ended, resolve, reject } = Promise.withResolvers<RunEvent>();
  const socket = io(url, { auth: { token }, forceNew: true, reconnectionDelayMax: 2_000 });
  let lastSeq = afterSeq;

  const fail = ({ code, detail }: Problem): void => {
    socket.close();
    reject(new Error(`${code}: ${detail}`));
  };
  const subscribe = (): void => {
    socket.emit('run.subscribe', { runId, afterSeq: lastSeq }, (answer: Answer) => {
      if (answer.ok) return;
      if (answer.problem.retryable) setTimeout(subscribe, RETRY_MS);
      else fail(answer.problem);
    });
  };

  socket.on('connect', subscribe);
  socket.on('connect_error', (error: Error & { readonly data?: Problem }) => {
    // Without `data` it is the network: the client tries again by itself.
    if (error.data?.retryable === true) setTimeout(() => socket.connect(), RETRY_MS);
    else if (error.data !== undefined) fail(error.data);
  });
  socket.on('error', ({ details }: Problem) => {
    if (details?.runId === runId) setTimeout(subscribe, RETRY_MS);
  });
  socket.onAny((type: string, event: RunEvent) => {
    // Deltas and progress have no number; what is known already may come again after a reconnect.
    if (event.runId !== runId || event.type !== type || !(event.seq > lastSeq)) return;
    lastSeq = event.seq;
    onEvent(event);
    if (!TERMINAL.includes(type)) return;
    socket.close();
    resolve(event);
  });
  return { ended, stop: () => socket.close(), socket };
}
