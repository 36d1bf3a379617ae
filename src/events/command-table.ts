import { Injectable } from '@nestjs/common';

import type { RateClassName } from '../platform/http/rate-class.decorator.js';
import { PatternService } from '../patterns/pattern.service.js';
import { RunControlService, type ControlCommand } from '../runs/run-control.service.js';
import { RunReader } from '../runs/run.reader.js';
import { RunService, type StartRequest } from '../runs/run.service.js';
import type { Carried } from './carried.js';
import type { Connection } from './connection.js';
import {
  EmptyDto,
  RunReferenceDto,
  SignalCommandDto,
  CancelCommandDto,
  StopRunDto,
  SubscribeDto,
  WatchRunsDto,
} from './dto/run-command.dto.js';
import { OrchestrationCommandDto, StartCommandDto } from './dto/start-command.dto.js';
import type { CommandMap, CommandName, OrchestrationPayload } from './event.contract.js';
import { SubscriptionService } from './subscription.service.js';
import { WatchService } from './watch.service.js';
import type { RunView } from '../runs/domain/view.js';

/** One command: how its payload is checked, what it costs, how it is carried out. */
export interface CommandEntry<C extends CommandName> {
  readonly dto: new () => CommandMap[C]['payload'];
  readonly rateClass: RateClassName;
  readonly carryOut: (
    payload: CommandMap[C]['payload'],
    connection: Connection,
  ) => Promise<Carried<CommandMap[C]['result']>>;
}

/** Every command of the contract, in one typed table: a command without an entry does not compile. */
@Injectable()
export class CommandTable {
  private readonly entries: { readonly [C in CommandName]: CommandEntry<C> } = {
    'run.start': {
      dto: StartCommandDto,
      rateClass: 'start',
      carryOut: (payload, to) => this.start(payload, to),
    },
    'orchestration.start': {
      dto: OrchestrationCommandDto,
      rateClass: 'start',
      carryOut: (payload, to) => this.orchestrate(payload, to),
    },
    'run.status': {
      dto: RunReferenceDto,
      rateClass: 'read',
      carryOut: async ({ runId }, { namespace }) => ({ result: await this.reader.run(namespace, runId) }),
    },
    'run.cancel': {
      dto: CancelCommandDto,
      rateClass: 'write',
      carryOut: ({ runId, ...why }, to) => this.control(runId, { type: 'cancel', ...why }, to),
    },
    'run.pause': {
      dto: StopRunDto,
      rateClass: 'write',
      carryOut: ({ runId, ...why }, to) => this.control(runId, { type: 'pause', ...why }, to),
    },
    'run.resume': {
      dto: RunReferenceDto,
      rateClass: 'write',
      carryOut: ({ runId }, to) => this.control(runId, { type: 'resume' }, to),
    },
    'run.signal': {
      dto: SignalCommandDto,
      rateClass: 'write',
      carryOut: ({ runId, name, data = null }, to) => this.control(runId, { type: 'signal', name, data }, to),
    },
    'run.subscribe': {
      dto: SubscribeDto,
      rateClass: 'read',
      carryOut: (payload, to) => this.subscriptions.subscribe(to, payload),
    },
    'run.unsubscribe': {
      dto: RunReferenceDto,
      rateClass: 'read',
      carryOut: ({ runId }, to) => {
        this.subscriptions.unsubscribe(to, runId);
        return Promise.resolve({ result: { runId } });
      },
    },
    'runs.watch': {
      dto: WatchRunsDto,
      rateClass: 'read',
      carryOut: (filter, to) => this.watches.watch(to, filter),
    },
    'runs.unwatch': {
      dto: EmptyDto,
      rateClass: 'read',
      carryOut: (_, to) => {
        this.watches.unwatch(to);
        return Promise.resolve({ result: {} });
      },
    },
  };

  constructor(
    private readonly runs: RunService,
    private readonly reader: RunReader,
    private readonly controls: RunControlService,
    private readonly subscriptions: SubscriptionService,
    private readonly watches: WatchService,
    private readonly patterns: PatternService,
  ) {}

  /** The names of all commands. */
  get names(): readonly CommandName[] {
    return Object.keys(this.entries) as CommandName[];
  }

  has(name: string): name is CommandName {
    return Object.hasOwn(this.entries, name);
  }

  get<C extends CommandName>(name: C): CommandEntry<C> {
    return this.entries[name];
  }

  private orchestrate(
    { pattern, parameters, ...options }: OrchestrationPayload,
    connection: Connection,
  ): Promise<Carried<RunView>> {
    return this.patterns.carryOut({ pattern, parameters }, (definition) =>
      this.start({ ...options, definition }, connection),
    );
  }

  private async start(
    payload: Omit<StartRequest, 'namespace'>,
    connection: Connection,
  ): Promise<Carried<RunView>> {
    this.subscriptions.requireRoom(connection);
    const { run } = await this.runs.start({ ...payload, namespace: connection.namespace });
    return {
      result: run,
      afterwards: () => {
        this.subscriptions.follow(connection, run, 0);
      },
    };
  }

  private async control(
    runId: string,
    command: ControlCommand,
    connection: Connection,
  ): Promise<Carried<RunView>> {
    const { namespace, keyId } = connection.admission.principal;
    const by = keyId === undefined ? {} : { by: keyId };
    const { run } = await this.controls.send(namespace, runId, { ...command, ...by });
    return { result: run };
  }
}
