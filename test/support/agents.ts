/** Agents put together by hand: the registry and the gate over a record of the test's own. */
import { Reflector, type DiscoveryService } from '@nestjs/core';

import { AgentBreakers } from '../../src/agents/agent-breakers.js';
import { AgentCallService } from '../../src/agents/agent-call.service.js';
import { AgentCaller } from '../../src/agents/agent-caller.js';
import { AgentCheck } from '../../src/agents/agent-check.js';
import { AgentEditService } from '../../src/agents/agent-edit.service.js';
import { AgentHealthService } from '../../src/agents/agent-health.service.js';
import { AgentObservations } from '../../src/agents/agent-observations.js';
import { AgentReferences } from '../../src/agents/agent-references.js';
import { AgentSource } from '../../src/agents/agent-source.js';
import type { AgentProvider } from '../../src/agents/agent.provider.js';
import { AgentService } from '../../src/agents/agent.service.js';
import { BuiltInAgents } from '../../src/agents/built-in-agents.js';
import type { AgentBody } from '../../src/agents/domain/agent.js';
import { LimitGate } from '../../src/agents/limit-gate.js';
import { ProviderRegistry } from '../../src/agents/provider.registry.js';
import { SlotLeases } from '../../src/agents/slot-leases.js';
import type { Clock } from '../../src/platform/clock/clock.js';
import { UuidSource } from '../../src/platform/ids/id.source.js';
import { JsonSchemaService } from '../../src/platform/json-schema/json-schema.service.js';
import { InProcessHotStore } from '../../src/storage/memory/in-process-hot.store.js';
import type { Stores } from '../contract/record-scene.js';
import { ManualClock } from './manual-clock.js';
import { memoryStores } from './memory-stores.js';

/** Everything about agents of one process. */
export interface AgentScene {
  readonly stores: Pick<Stores, 'agents' | 'limiter'>;
  readonly agents: AgentService;
  readonly edits: AgentEditService;
  readonly caller: AgentCaller;
  readonly calls: AgentCallService;
  readonly gate: LimitGate;
  readonly leases: SlotLeases;
  readonly health: AgentHealthService;
  readonly references: AgentReferences;
}

/** A process with these providers. Two over one record are two processes. */
export function agentScene(
  providers: readonly AgentProvider[],
  clock: Clock = new ManualClock(),
  stores: Pick<Stores, 'agents' | 'limiter'> = memoryStores(clock as ManualClock),
): AgentScene {
  const found = providers.map((instance) => ({ instance, metatype: instance.constructor }));
  const discovery = { getProviders: () => found } as unknown as DiscoveryService;
  const registry = new ProviderRegistry(discovery, new Reflector());
  const builtIn = new BuiltInAgents(registry);
  builtIn.onModuleInit();
  const schemas = new JsonSchemaService();
  const source = new AgentSource(builtIn, stores.agents, new InProcessHotStore(clock), {
    cacheTtlMs: 60_000,
  });
  const agents = new AgentService(source, stores.agents, builtIn, registry);
  const references = new AgentReferences();
  const check = new AgentCheck(registry, schemas);
  const ids = new UuidSource();
  const edits = new AgentEditService(builtIn, references, ids, stores.agents, source, check, clock);
  const observations = new AgentObservations(clock);
  const leases = new SlotLeases(stores.limiter, clock);
  const gate = new LimitGate(stores.limiter, leases, new AgentBreakers(), observations, ids, clock);
  const caller = new AgentCaller(agents, schemas, gate);
  const health = new AgentHealthService(agents, gate, observations, clock, { healthIntervalMs: 60_000 });
  const calls = new AgentCallService(agents, caller);
  return { stores, agents, edits, caller, calls, gate, leases, health, references };
}

/** A body with defaults. */
export function anAgentBody(fields: Partial<AgentBody> = {}): AgentBody {
  return {
    ...{ kind: 'hand', description: '', capabilities: [], settings: {}, limits: {}, tags: [] },
    ...fields,
  };
}
