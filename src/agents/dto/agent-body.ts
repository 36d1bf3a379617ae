/** What a request says about an agent, as the domain has it. */
import { AppError } from '../../kernel/failure.js';
import type { JsonObject } from '../../kernel/json.js';
import { agentErrors } from '../agent.errors.js';
import type { AgentBody, AgentLimits, Capability } from '../domain/agent.js';
import { HIDDEN, restoreSecrets } from '../domain/secret-settings.js';
import type { AgentLimitsDto, CapabilityDto, CreateAgentDto, UpdateAgentDto } from './edit-agent.dto.js';

/** The body of a new agent. @throws AppError `agent.invalid` where a secret is hidden that there is not */
export function bodyOf({ kind, ...dto }: CreateAgentDto): AgentBody {
  const empty = { description: '', capabilities: [], settings: {}, limits: {}, tags: [] };
  return nextBodyOf(dto, { kind, ...empty });
}

/**
 * The body of the next version: what a request leaves out stays as it is.
 *
 * @throws AppError `agent.invalid` where a secret is hidden that there is not
 */
export function nextBodyOf(dto: UpdateAgentDto, latest: AgentBody): AgentBody {
  const name = dto.name ?? latest.name ?? '';
  return {
    kind: latest.kind,
    ...(name !== '' && { name }),
    ...schemasOf(dto, latest),
    description: dto.description ?? latest.description,
    capabilities: dto.capabilities?.map(capabilityOf) ?? latest.capabilities,
    settings: settingsOf(dto, latest),
    limits: dto.limits === undefined ? latest.limits : limitsOf(dto.limits),
    tags: dto.tags === undefined ? latest.tags : [...new Set(dto.tags)],
  };
}

function schemasOf(dto: UpdateAgentDto, latest: AgentBody): Pick<AgentBody, 'inputSchema' | 'outputSchema'> {
  const inputSchema = dto.inputSchema ?? latest.inputSchema;
  const outputSchema = dto.outputSchema ?? latest.outputSchema;
  return {
    ...(saysSomething(inputSchema) && { inputSchema }),
    ...(saysSomething(outputSchema) && { outputSchema }),
  };
}

/** An empty schema allows everything: the agent then has none. */
function saysSomething(schema: JsonObject | undefined): schema is JsonObject {
  return schema !== undefined && Object.keys(schema).length > 0;
}

function settingsOf({ settings }: UpdateAgentDto, latest: AgentBody): AgentBody['settings'] {
  if (settings === undefined) return latest.settings;
  const restored = restoreSecrets(settings, latest.settings);
  if (restored.issues.length === 0) return restored.settings;
  const issues = restored.issues.map((issue) => ({ ...issue, pointer: `/settings${issue.pointer}` }));
  const message = `the settings have ${HIDDEN} where there is no secret`;
  throw AppError.of(agentErrors['agent.invalid'], message, { issues });
}

function limitsOf(dto: AgentLimitsDto): AgentLimits {
  return Object.fromEntries(Object.entries(dto).filter(([, limit]) => limit !== undefined));
}

function capabilityOf({ name, description, inputSchema, outputSchema }: CapabilityDto): Capability {
  return {
    name,
    ...(description !== undefined && { description }),
    ...(inputSchema !== undefined && { inputSchema }),
    ...(outputSchema !== undefined && { outputSchema }),
  };
}
