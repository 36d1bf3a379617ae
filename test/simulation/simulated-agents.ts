/** Agents that answer as the seed says, and note who called them for what. */
import type { AgentCaller, AgentOrder } from '../../src/agents/agent-caller.js';
import type { AgentOutcome } from '../../src/agents/agent.provider.js';
import type { Json } from '../../src/kernel/json.js';
import type { Script } from '../support/simulated-run.js';
import type { CallEvidence } from '../support/invariants/evidence.js';
import { unitEvents } from '../support/invariants/unit-history.js';
import type { Scenario } from './scenario.js';
import type { CallingProcess, Setting } from './setting.js';

/** How often what a unit waits for looks whether it is waited for, in milliseconds. */
const DELIVERY_MS = 40;

export class SimulatedAgents {
  readonly calls: CallEvidence[] = [];
  private readonly deliveries = new Set<string>();

  constructor(
    private readonly world: Setting,
    private readonly scenario: Pick<Scenario, 'script' | 'paceMs'>,
  ) {}

  /** The way in for one process: what it waits for dies with it. */
  callerOf(process: CallingProcess): AgentCaller {
    return { call: (order: AgentOrder) => this.call(process, order) } as unknown as AgentCaller;
  }

  private async call(process: CallingProcess, order: AgentOrder): Promise<AgentOutcome> {
    const { time, random } = this.world;
    const { runId = '', path = '', attempt, failures, idempotencyKey: key } = order.request;
    this.world.note(`${process.name} calls ${path}#${attempt}`);
    this.requireOwner(process, runId, path);
    const call: { -readonly [K in keyof CallEvidence]: CallEvidence[K] } = {
      runId,
      path,
      attempt,
      key,
      at: time.now,
      answer: null,
    };
    this.calls.push(call);
    await this.takeTurns(process, order);
    await this.work(process, order);
    const ending = this.scenario.script(path, failures);
    if (random.chance(0.02)) throw new Error('the agent broke');
    if ('taskId' in ending) {
      this.deliverLater(runId, path);
      return { status: 'waiting', taskId: ending.taskId };
    }
    if ('failure' in ending) return { status: 'failed', failure: ending.failure };
    call.answer = JSON.stringify(ending.output);
    call.endedAt = time.now;
    return { status: 'completed', output: ending.output };
  }

  /** Turns that earlier attempts have recorded are not made again. */
  private async takeTurns(process: CallingProcess, { request, context }: AgentOrder): Promise<void> {
    const { path = '' } = request;
    const wanted = path.length % 3 === 0 ? 2 : 0;
    for (let turn = context.journal.turns.length + 1; turn <= wanted; turn += 1) {
      await new Promise<void>((resolve) => void process.after(5, resolve));
      await context.journal.record({ body: { turn }, usage: { inputTokens: 1 } });
    }
  }

  /** Takes its time; an abort ends it, unless it does not listen. */
  private work(process: CallingProcess, { context }: AgentOrder): Promise<void> {
    const { random, faults } = this.world;
    const durationMs = random.chance(0.05) ? faults.lateMs() : random.below(this.scenario.paceMs);
    const isObedient = random.chance(0.8);
    return new Promise((resolve, reject) => {
      process.after(durationMs, resolve);
      if (!isObedient) return;
      context.signal.addEventListener('abort', () => {
        reject(new Error('aborted'));
      });
    });
  }

  /** Only the owner of a run calls anybody for it. */
  private requireOwner(process: CallingProcess, runId: string, path: string): void {
    const owner = this.world.record.record.runs.get(runId)?.ownerId;
    if (owner === process.owner.id) return;
    const message = `${process.owner.id} calls an agent, ${owner ?? 'nobody'} owns the run`;
    this.world.violated({ invariant: 'I7', runId, path, message });
  }

  /** What the unit waits for comes once it is waited for, sometimes twice. */
  private deliverLater(runId: string, path: string): void {
    const { time, random } = this.world;
    const key = `${runId}:${path}`;
    if (this.deliveries.has(key)) return;
    this.deliveries.add(key);
    time.after(DELIVERY_MS + random.below(200), () => {
      this.deliveries.delete(key);
      this.deliver(runId, path);
    });
  }

  private deliver(runId: string, path: string): void {
    const { record, random } = this.world;
    const events = record.record.runs.get(runId)?.events.map(({ event }) => event) ?? [];
    const last = unitEvents(events).findLast((placed) => placed.path === path);
    if (last === undefined || this.world.hasEnded(runId)) return;
    if (last.name !== 'waiting') {
      if (last.name === 'started' || last.name === 'interrupted') this.deliverLater(runId, path);
      return;
    }
    const ending = this.scenario.script(`${path}!`, 0);
    const outcome = 'output' in ending ? completed(ending.output) : failed(ending);
    const command = { type: 'deliver', path, wait: last.event.seq, outcome } as const;
    void this.world.send(runId, command);
    if (random.chance(0.2)) void this.world.send(runId, command);
    if (random.chance(0.2)) void this.world.send(runId, { ...command, wait: command.wait - 1 });
    this.deliverLater(runId, path); // in case it was lost on the way
  }
}

function completed(output: Json): { readonly status: 'completed'; readonly output: Json } {
  return { status: 'completed', output };
}

function failed(ending: ReturnType<Script>): {
  readonly status: 'failed';
  readonly failure: Extract<ReturnType<Script>, { failure: unknown }>['failure'];
} {
  if (!('failure' in ending)) throw new Error('a delivery that waits again');
  return { status: 'failed', failure: ending.failure };
}
