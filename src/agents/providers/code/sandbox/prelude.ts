/**
 * What a program finds: `console` and the tools of its call. Runs in the sandbox, before the program.
 *
 * It keeps the built-in functions that it needs from before the program could change them, and hands out none of the
 * functions of the service: those take and give texts only.
 */
export const PRELUDE = `(log, send, maxLines) => {
  'use strict';
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { freeze, entries, hasOwn } = Object;
  const { String, Error } = globalThis;
  const call = Function.prototype.call;
  const uncurry = (method) => call.bind(method);
  const slice = uncurry(String.prototype.slice);
  const map = uncurry(Array.prototype.map);
  const join = uncurry(Array.prototype.join);
  const then = uncurry(Promise.prototype.then);
  const toLowerCase = uncurry(String.prototype.toLowerCase);

  const textOf = (value) => {
    try {
      if (typeof value === 'string') return value;
      if (value instanceof Error) return String(value);
      const text = stringify(value);
      return text === undefined ? String(value) : text;
    } catch {
      return 'a value without text';
    }
  };
  let lines = 0;
  const write = (...values) => {
    if (++lines > maxLines) return;
    log(slice(join(map(values, (value) => slice(textOf(value), 0, 1000)), ' '), 0, 1000));
  };
  globalThis.console = { log: write, info: write, warn: write, error: write, debug: write };

  const responseOf = (json) => {
    const { error, status, headers, body, url } = parse(json);
    if (error !== undefined) {
      const thrown = new Error(error.message);
      thrown.code = error.code;
      thrown.retryable = error.retryable;
      if (error.retryAfterMs !== undefined) thrown.retryAfterMs = error.retryAfterMs;
      throw thrown;
    }
    return {
      ok: status >= 200 && status < 300,
      status,
      url,
      headers: { ...headers, get: (name) => (hasOwn(headers, toLowerCase(String(name))) ? headers[toLowerCase(String(name))] : null) },
      body,
      text: async () => body,
      json: async () => parse(body),
    };
  };
  const fetch = (url, { method, headers, body } = {}) => {
    const init = stringify({ method, headers, body });
    return then(send(String(url), init), responseOf);
  };
  return {
    toolsOf: (idempotencyKey) => freeze({ fetch, idempotencyKey }),
    parse,
    stringify,
    describe: (error) => {
      const isError = typeof error === 'object' && error !== null;
      const { message, stack, retryable, retryAfterMs, name } = isError ? error : { message: 'threw ' + textOf(error) };
      return stringify({
        message: slice(name === undefined || name === 'Error' ? String(message) : name + ': ' + message, 0, 2000),
        stack: slice(typeof stack === 'string' ? stack : '', 0, 2000),
        name: typeof name === 'string' ? slice(name, 0, 100) : '',
        retryable: retryable === true,
        retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : -1,
      });
    },
  };
}`;
