/** The embedded default under load: one process on a folder of data, targets that agents call, and the checker. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { Api } from '../support/api.js';
import { UNHINDERED } from '../support/cluster.js';
import { aFreePort } from '../support/free-port.js';
import { checkRecord } from '../support/invariants/check-record.js';
import type { StartEvidence, Violation } from '../support/invariants/evidence.js';
import { ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';
import { createAgents } from './create-agents.js';
import { Load } from './load.js';
import type { Shape } from './shapes.js';
import { limitOf, Target } from './target.js';

/** Every graph of the load that needs no model. */
const SHAPES: readonly Shape[] = [
  'chain',
  'diamond',
  'fanOut',
  'retries',
  'conditions',
  'map',
  'programs',
  'limits',
];

const END_MS = 300_000;
const PACE_MS = 20;

export class EmbeddedScene {
  private readonly former: ServiceProcess[] = [];
  private readonly singles: StartEvidence[] = [];
  private load: Load | undefined;
  /** The runs that there were before: examples. */
  private present: readonly string[] = [];

  private constructor(
    private readonly options: { readonly name: string; readonly folder: string },
    private readonly target: Target,
    private readonly port: number,
    /** The process that runs now, or ran last. */
    public service: ServiceProcess,
  ) {}

  /** Starts the service on a folder, with the agents that the load calls. */
  static async start(name: string, folder: string): Promise<EmbeddedScene> {
    const target = await Target.start();
    const port = await aFreePort();
    const service = ServiceProcess.spawn({ name, env: environment(folder, port, target) });
    const scene = new EmbeddedScene({ name, folder }, target, port, service);
    await service.listening();
    await createAgents(scene.api, target);
    const { body } = await scene.api.get<{ items: readonly { id: string }[] }>('/runs?limit=200');
    scene.present = body.items.map(({ id }) => id);
    return scene;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get api(): Api {
    return new Api(this.url);
  }

  /** Begins to start runs. */
  begin(perSecond: number): Load {
    this.load = new Load(() => this.url, { perSecond, shapes: SHAPES }).start();
    return this.load;
  }

  /** Starts one run beside the load. */
  async startRun(definition: unknown): Promise<string> {
    const { id } = await this.api.start(definition);
    this.singles.push({ runId: id });
    return id;
  }

  /** Counts starts as accepted that were answered beside the load. */
  told(starts: readonly StartEvidence[]): void {
    this.singles.push(...starts);
  }

  /** Resolves when so many more starts have been answered. */
  async untilAccepted(more: number): Promise<void> {
    const before = this.accepted().length;
    const isReached = (): boolean => this.accepted().length >= before + more;
    await until(isReached, `${more} more runs are accepted`, END_MS, PACE_MS);
  }

  /** How long it takes from now to the next call of an agent, in milliseconds: its step is in the record by then. */
  async untilNextCall(): Promise<number> {
    const before = performance.now();
    const calls = this.target.effects().length;
    await until(() => this.target.effects().length > calls, 'an agent is called', END_MS, PACE_MS);
    return performance.now() - before;
  }

  /** Starts the service again on the same folder; whether it will listen is for the caller to see. */
  respawn(): ServiceProcess {
    const { name, folder } = this.options;
    this.former.push(this.service);
    this.service = ServiceProcess.spawn({ name, env: environment(folder, this.port, this.target) });
    return this.service;
  }

  /** Ends the load and waits for the end of all runs. Answers what must never be, and the statuses that there are. */
  async finish(
    lostLeases: number,
  ): Promise<{ violations: readonly Violation[]; statuses: readonly string[] }> {
    await this.load?.stop();
    const statuses = new Set<string>();
    for (const { runId } of this.accepted()) statuses.add((await this.ended(runId)).status);
    const { code } = await this.service.stop();
    const troubles = [
      ...(this.load?.refused ?? []).map((key) => `start ${key} was never answered`),
      ...(code === 0 ? [] : [`the service that was asked to stop ended with ${String(code)}`]),
      ...this.all().flatMap((process) => process.troubles()),
    ];
    const { violations } = await checkRecord(
      { folder: this.options.folder },
      {
        effects: this.target.effects(),
        accepted: this.accepted(),
        keyed: new Map(this.present.map((id) => [id, id])),
        limits: [limitOf(lostLeases)],
        troubles,
        isOver: true,
      },
    );
    return { violations, statuses: [...statuses] };
  }

  /** Ends everything that there is, and keeps the logs in .cache/faults/logs. */
  async end(): Promise<void> {
    this.load?.leave();
    await this.service.kill();
    const folder = '.cache/faults/logs';
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      `${folder}/${this.options.name}.log`,
      this.all()
        .map(({ log }) => log)
        .join(''),
    );
    await this.target.stop();
  }

  private accepted(): readonly StartEvidence[] {
    return [...this.singles, ...(this.load?.accepted ?? [])];
  }

  private all(): readonly ServiceProcess[] {
    return [...this.former, this.service];
  }

  private async ended(runId: string): Promise<{ readonly status: string }> {
    const timer = new AbortController();
    const late = delay(END_MS, { status: 'not ended' }, { signal: timer.signal, ref: false });
    try {
      return await Promise.race([this.api.ended(runId), late]);
    } finally {
      timer.abort();
      late.catch(() => undefined);
    }
  }
}

function environment(folder: string, port: number, target: Target): Readonly<Record<string, string>> {
  return {
    ...UNHINDERED,
    DATA_DIR: folder,
    PORT: String(port),
    EGRESS_ALLOWED_HOSTS: target.host,
    AGENT_MAX_CONCURRENT_WORKFLOWS: '50',
  };
}
