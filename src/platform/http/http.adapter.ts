import type { Socket } from 'node:net';

import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { AppConfig, ServerConfig } from '../config/app.config.js';
import { withLogFields } from '../logging/log-fields.js';
import { failureOfException } from './exception-failure.js';
import { httpErrors } from './http.errors.js';
import { useJsonBodies } from './json-body.js';
import { problemOf, PROBLEM_MEDIA_TYPE } from './problem.js';
import { requestIdOf } from './request-id.js';
import { securityHeaders } from './security-headers.js';
import { useYamlBodies } from './yaml-body.js';

/** Time to receive one whole request: slower clients hold a connection for nothing. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Step paths are path parameters, and nest. */
const MAX_PARAMETER_LENGTH = 2048;

/** An answer that its handler has streamed is not sent again. */
class HttpAdapter extends FastifyAdapter {
  override reply(response: FastifyReply, body: unknown, statusCode?: number): FastifyReply {
    return response.sent ? response : super.reply(response, body, statusCode);
  }
}

/** The HTTP server of the service: body limits, JSON parsing, request ids and security headers on every answer. */
export function createHttpAdapter({ server, limits }: AppConfig): FastifyAdapter {
  const adapter = new HttpAdapter({
    bodyLimit: limits.maxBodyBytes,
    trustProxy: trustOf(server.trustProxy),
    genReqId: requestIdOf,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerBrokenUrl,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
  });
  const fastify = adapter.getInstance();
  useJsonBodies(fastify, { maxDepth: limits.maxJsonDepth, maxKeys: limits.maxJsonKeys });
  useYamlBodies(fastify);
  const headers = securityHeaders();
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    done();
  });
  // Reading a body leaves the asynchronous context of the hook before it.
  fastify.addHook('preValidation', (request, _reply, done) => {
    withLogFields({ requestId: request.id }, done);
  });
  return adapter;
}

/** Whom Fastify believes; a number counts hops from this process on. */
function trustOf(
  trust: ServerConfig['trustProxy'],
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trust === 'number') return (_, hop) => hop < trust;
  return typeof trust === 'boolean' ? trust : [...trust];
}

/** Answers what the router refuses before any hook runs: a path that cannot be decoded, or a parameter too long. */
function answerBrokenUrl(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(failureOfException(error), { requestId: request.id });
  void reply.header('x-request-id', request.id).code(problem.status).type(PROBLEM_MEDIA_TYPE);
  void reply.send(JSON.stringify(problem));
}

/** What is not HTTP gets a problem document, too, and the connection ends. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const type = httpErrors[isTooLarge ? 'request.too-large' : 'request.invalid'];
  const message = isTooLarge
    ? 'The headers are larger than the service takes'
    : 'The request is not valid HTTP';
  const problem = problemOf({ ...type, message });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
