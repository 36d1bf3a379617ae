/** Spans as OTLP says them in JSON (opentelemetry-proto, `ExportTraceServiceRequest`). */
import type { JsonObject } from '../../kernel/json.js';
import type { Attribute, Span } from './trace.js';

/** Spans of one trace. */
export interface Trace {
  readonly traceId: string;
  readonly spans: readonly Span[];
}

const KINDS = { internal: 1, client: 3 } as const;
const STATUS_ERROR = 2;

/** The body of a request that sends traces. */
export function otlpOf(
  traces: readonly Trace[],
  resource: { readonly name: string; readonly version: string },
): JsonObject {
  const { name, version } = resource;
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': name, 'service.version': version }) },
        scopeSpans: [
          {
            scope: { name: 'ensemble', version },
            spans: traces.flatMap(({ traceId, spans }) => spans.map((span) => otlpSpan(traceId, span))),
          },
        ],
      },
    ],
  };
}

function otlpSpan(traceId: string, span: Span): JsonObject {
  return {
    traceId,
    spanId: span.spanId,
    ...(span.parentId !== undefined && { parentSpanId: span.parentId }),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.endMs),
    attributes: attributesOf(span.attributes),
    ...(span.error !== undefined && { status: { code: STATUS_ERROR, message: span.error } }),
  };
}

/** 64 bits are text in the JSON of protocol buffers. */
function nanos(ms: number): string {
  return `${ms}000000`;
}

function attributesOf(attributes: { readonly [name: string]: Attribute }): JsonObject[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: Attribute): JsonObject {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } };
}
