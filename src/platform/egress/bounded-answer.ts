import { AppError } from '../../kernel/failure.js';
import type { Deadline } from './deadline.js';
import { egressErrors } from './egress.errors.js';

export interface AnswerBounds {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly maxBytes: number;
  readonly deadline: Deadline;
}

/** The same answer, whose body ends with a failure beyond its bounds. The deadline ends with the body. */
export function boundedAnswer(response: Response, bounds: AnswerBounds): Response {
  const { body, status, statusText, headers } = response;
  if (body === null) bounds.deadline.end();
  const bounded = new Response(body === null ? null : boundedBody(body, bounds), {
    status,
    statusText,
    headers,
  });
  Object.defineProperty(bounded, 'url', { value: bounds.url.href });
  return bounded;
}

function boundedBody(
  body: ReadableStream<Uint8Array>,
  { maxBytes, deadline }: AnswerBounds,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;
  const read = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await reader.read();
    bytes += value?.byteLength ?? 0;
    if (bytes <= maxBytes) return done ? undefined : value;
    await reader.cancel().catch(() => undefined);
    throw tooLarge(maxBytes);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await read();
          if (chunk !== undefined) {
            controller.enqueue(chunk);
            return;
          }
          deadline.end();
          controller.close();
        } catch (error) {
          deadline.end();
          controller.error(deadline.explain(error));
        }
      },
      async cancel(reason) {
        deadline.end();
        await reader.cancel(reason);
      },
    },
    // Nothing is read before somebody asks.
    { highWaterMark: 0 },
  );
}

function tooLarge(maxBytes: number): AppError {
  return AppError.of(
    egressErrors['agent.egress-too-large'],
    `The answer has more than ${maxBytes} bytes and was broken off.`,
    { details: { maxBytes } },
  );
}
