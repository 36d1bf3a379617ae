import { Injectable } from '@nestjs/common';

import { failureOf, type Failure } from '../kernel/failure.js';
import { fail, type Result } from '../kernel/result.js';
import { Clock } from '../platform/clock/clock.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { parseDto } from '../platform/http/parse-dto.js';
import { CommandRates } from './command-rates.js';
import { CommandTable } from './command-table.js';
import type { Connection } from './connection.js';
import type { CommandMap, CommandName } from './event.contract.js';
import type { IncomingCommand } from './packet-codec.js';
import { SocketProblems } from './socket-problem.js';
import { socketErrors } from './socket.errors.js';

/** Longest part of an unknown name that is said back. */
const MAX_SHOWN = 40;

type Payload = CommandMap[CommandName]['payload'];

/** A command with a payload that was checked. */
interface Asked {
  readonly name: CommandName;
  readonly ackId: number | undefined;
  readonly payload: Payload;
}

/**
 * Takes the commands of clients: checks them, carries them out, answers each once. None begins before the client has
 * taken earlier answers, so answers do not pile up.
 */
@Injectable()
export class CommandService {
  constructor(
    private readonly table: CommandTable,
    private readonly rates: CommandRates,
    private readonly problems: SocketProblems,
    private readonly clock: Clock,
  ) {}

  /** Takes one command. Never throws, whatever a client sends. */
  receive(connection: Connection, command: IncomingCommand): void {
    if (connection.isOver) return;
    try {
      this.take(connection, command);
    } catch (error) {
      connection.answer(command.ackId, { ok: false, problem: this.problems.ofException(error, 'command') });
    }
  }

  private take(connection: Connection, { name, ackId, content }: IncomingCommand): void {
    const now = this.clock.monotonic();
    if (!connection.pace.take(now)) {
      this.refuseHurry(connection, ackId, connection.pace.waitMs(now));
    } else if (!content.ok) {
      this.refuse(connection, ackId, content.failure);
    } else if (this.table.has(name)) {
      this.perform(connection, name, { ackId, content: content.value });
    } else {
      this.refuse(connection, ackId, this.unknown(name));
    }
  }

  private perform(
    connection: Connection,
    name: CommandName,
    { ackId, content }: { readonly ackId: number | undefined; readonly content: readonly unknown[] },
  ): void {
    const payload = this.parse(name, content);
    if (!payload.ok) {
      this.refuse(connection, ackId, payload.failure);
      return;
    }
    connection.lane.submit(runIdOf(payload.value), async () => {
      if (await connection.outbox.room())
        await this.carryOut(connection, { name, ackId, payload: payload.value });
    });
  }

  private parse(name: CommandName, content: readonly unknown[]): Result<Payload> {
    if (content.length > 1) {
      return fail(
        failureOf(httpErrors['request.invalid'], `Expected one payload of ${name}, got ${content.length}`),
      );
    }
    const result = parseDto<Payload>(this.table.get(name).dto, content[0]);
    if (result.ok) return result;
    const issues = result.failure;
    const found = issues.length === 1 ? '1 problem' : `${issues.length} problems`;
    return fail(failureOf(httpErrors['request.invalid'], `${found} in the payload of ${name}`, { issues }));
  }

  private async carryOut(connection: Connection, { name, ackId, payload }: Asked): Promise<void> {
    const { rateClass, carryOut } = this.table.get(name);
    try {
      await this.rates.take(rateClass, connection.admission);
      const { result, afterwards } = await carryOut(payload, connection);
      connection.answer(ackId, { ok: true, data: result });
      afterwards?.();
    } catch (error) {
      connection.answer(ackId, { ok: false, problem: this.problems.ofException(error, name) });
    }
  }

  private refuse(connection: Connection, ackId: number | undefined, failure: Failure): void {
    connection.lane.submit(undefined, async () => {
      if (!(await connection.outbox.room())) return;
      connection.answer(ackId, { ok: false, problem: this.problems.ofFailure(failure) });
    });
  }

  /** A client in a hurry that reads nothing gets no answer either: it would only pile up. */
  private refuseHurry(connection: Connection, ackId: number | undefined, retryAfterMs: number): void {
    if (connection.outbox.isFull) return;
    const failure = failureOf(
      httpErrors['rate.limited'],
      'The socket sends more commands a second than it may',
      {
        retryAfterMs,
      },
    );
    connection.answer(ackId, { ok: false, problem: this.problems.ofFailure(failure) });
  }

  private unknown(name: string): Failure {
    const known = this.table.names.join(', ');
    return failureOf(
      socketErrors['command.unknown'],
      `There is no command ${JSON.stringify(name.slice(0, MAX_SHOWN))}. There are: ${known}`,
    );
  }
}

function runIdOf(payload: object): string | undefined {
  return 'runId' in payload && typeof payload.runId === 'string' ? payload.runId : undefined;
}
