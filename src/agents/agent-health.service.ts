import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { Clock } from '../platform/clock/clock.js';
import { AgentConfig } from '../platform/config/app.config.js';
import { AgentObservations } from './agent-observations.js';
import type { AgentHealth } from './agent.provider.js';
import { AgentService, type AgentFilter } from './agent.service.js';
import { CallGate } from './call.gate.js';
import { statusOf, type AgentStatus, type ObservedHealth } from './domain/agent-status.js';
import type { Agent } from './domain/agent.js';
import { secretsIn, withoutSecrets } from './domain/secret-settings.js';

/** A provider that says nothing for so long is taken for one that cannot be reached. */
const PROBE_TIMEOUT_MS = 5_000;
/** For how long what a provider said is shown before it is asked again, where no probes are made on an interval. */
const MAX_AGE_MS = 60_000;
/** Agents that nobody called or asked about for so many intervals are not probed any more. */
const RECENT_INTERVALS = 10;
/** Probes at the same time. */
const MAX_PROBES = 8;
/** How many agents are looked at for one page that a status filters. */
const MAX_LOOKED_AT = 1_000;

/** An agent with its present health. */
export interface AgentWithHealth {
  readonly agent: Agent;
  readonly health: ObservedHealth;
}

/** Whether agents can be called: asks their providers, on demand and on an interval. */
@Injectable()
export class AgentHealthService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(AgentHealthService.name);
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly agents: AgentService,
    private readonly gate: CallGate,
    private readonly observations: AgentObservations,
    private readonly clock: Clock,
    private readonly config: AgentConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  /** Asks the provider of an agent now. @throws AppError `agent.not-found` */
  async probe(namespace: string, reference: string): Promise<ObservedHealth> {
    const agent = await this.agents.get(namespace, reference);
    this.observations.note(namespace, agent);
    return this.withTroubles(namespace, agent, await this.ask(namespace, agent));
  }

  /** The health of an agent, from a probe that was made a while ago or is made now. */
  async of(namespace: string, agent: Agent): Promise<ObservedHealth> {
    const maxAgeMs = 2 * (this.config.healthIntervalMs || MAX_AGE_MS);
    const known = this.observations.find(namespace, agent, maxAgeMs);
    this.observations.note(namespace, agent);
    return this.withTroubles(namespace, agent, known ?? (await this.ask(namespace, agent)));
  }

  /** A page of agents with their health; of those that have a status where one is asked for. */
  async list(
    namespace: string,
    { status, ...filter }: AgentFilter & { readonly status?: AgentStatus | undefined },
    page: PageRequest,
  ): Promise<Page<AgentWithHealth>> {
    if (status === undefined) return this.pageOf(namespace, filter, page);
    const found: AgentWithHealth[] = [];
    let { cursor } = page;
    for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT && found.length < page.limit;) {
      const limit = page.limit - found.length;
      const next = await this.pageOf(namespace, filter, { limit, ...(cursor !== undefined && { cursor }) });
      found.push(...next.items.filter(({ health }) => health.status === status));
      cursor = next.nextCursor;
      if (cursor === undefined) return { items: found };
      lookedAt += limit;
    }
    return { items: found, ...(cursor !== undefined && { nextCursor: cursor }) };
  }

  /** Probes the agents that somebody uses. */
  async probeRecent(): Promise<void> {
    const since = this.clock.now() - RECENT_INTERVALS * this.config.healthIntervalMs;
    const recent = [...this.observations.since(since)];
    const work = async (): Promise<void> => {
      for (let next = recent.pop(); next !== undefined; next = recent.pop()) await this.probeAgain(next);
    };
    await Promise.all(Array.from({ length: MAX_PROBES }, work));
  }

  private async pageOf(
    namespace: string,
    filter: AgentFilter,
    page: PageRequest,
  ): Promise<Page<AgentWithHealth>> {
    const { items, ...rest } = await this.agents.list(namespace, filter, page);
    const withHealth = items.map(async (agent) => ({ agent, health: await this.of(namespace, agent) }));
    return { ...rest, items: await Promise.all(withHealth) };
  }

  private withTroubles(namespace: string, agent: Agent, probed: ObservedHealth): ObservedHealth {
    const brokenForMs = this.gate.brokenForMs(namespace, agent.id);
    const waiting = this.gate.waiting(namespace, agent.id);
    const { isOffline } = agent;
    return statusOf({ isOffline, waiting, ...(brokenForMs !== undefined && { brokenForMs }) }, probed);
  }

  private async ask(namespace: string, agent: Agent): Promise<ObservedHealth> {
    const health = withoutSecrets(await this.askProvider(agent), secretsIn(agent.settings));
    const probed = { ...health, checkedAt: this.clock.now() };
    this.observations.keep(namespace, agent, probed);
    return probed;
  }

  private async askProvider(agent: Agent): Promise<AgentHealth> {
    const late = Promise.withResolvers<AgentHealth>();
    const timer = setTimeout(() => {
      const reason = `Its provider did not answer within ${String(PROBE_TIMEOUT_MS)} ms.`;
      late.resolve({ status: 'offline', reason });
    }, PROBE_TIMEOUT_MS);
    try {
      return await Promise.race([this.agents.providerOf(agent).health(agent.settings), late.promise]);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return { status: 'offline', reason: `Its provider could not be asked: ${said.slice(0, 500)}` };
    } finally {
      clearTimeout(timer);
    }
  }

  /** One that was deleted meanwhile is passed over. */
  private async probeAgain({ namespace, id }: { namespace: string; id: string }): Promise<void> {
    try {
      await this.ask(namespace, await this.agents.get(namespace, id));
    } catch (err) {
      if (!AppError.is(err))
        this.logger.warn({ err, agent: id, msg: 'The health of an agent was not probed' });
    }
  }

  /** With up to a fifth more or less, so that processes do not ask all at once. */
  private schedule(): void {
    const { healthIntervalMs } = this.config;
    if (healthIntervalMs === 0 || this.isStopped) return;
    this.timer = setTimeout(
      () => {
        void this.probeRecent().finally(() => {
          this.schedule();
        });
      },
      healthIntervalMs * (0.8 + 0.4 * Math.random()),
    ).unref();
  }
}
