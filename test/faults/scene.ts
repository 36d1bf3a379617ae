/**
 * A service of several processes under load: PostgreSQL and a Redis of its own, targets that agents call, clients of
 * sockets. When the load is over everything that was seen is checked against the invariants.
 */
import { mkdirSync, writeFileSync } from 'node:fs';

import { Api } from '../support/api.js';
import { Cluster, type ClusterOptions } from '../support/cluster.js';
import { checkRecord, type RecordCheck } from '../support/invariants/check-record.js';
import type {
  BaselineEvidence,
  CaptureEvidence,
  StartEvidence,
  Violation,
} from '../support/invariants/evidence.js';
import { LlmStub, message } from '../support/llm-stub.js';
import { RedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { createAgents } from './create-agents.js';
import { Followers } from './followers.js';
import { Load, type LoadOptions } from './load.js';
import {
  failuresOf,
  hasStarted,
  lastPlace,
  leftovers,
  openRuns,
  statusesOf,
  type Statuses,
} from './record-queries.js';
import { resourcesLeft, resourcesOf, type Resources } from './resources.js';
import { seededRandom } from './seed.js';
import { limitOf, Target } from './target.js';

export interface SceneOptions extends Omit<ClusterOptions, 'redisUrl'> {
  /** How it is called in names of files. */
  readonly name: string;
  /** Whether there is a Redis. @default where there are several processes */
  readonly hasRedis?: boolean;
  /** Where that Redis keeps its file. @default the folder for temporary files */
  readonly redisParent?: string;
  /** Clients of sockets. @default none */
  readonly sockets?: number;
  /** Leases of slots that faults may have cost, each of which allows one call too many for a while. @default 0 */
  readonly lostLeases?: number;
}

/** What was found when everything was over. */
export interface SceneEnd extends RecordCheck {
  /** How many runs there are of each status. */
  readonly statuses: Statuses;
  /** Why runs have failed. */
  readonly failures: readonly string[];
  /** The most calls of the limited agent at once, by the target's own count. */
  readonly mostLimited: number;
}

/** What agents call. */
interface Targets {
  readonly target: Target;
  readonly models: LlmStub;
}

/** Every run must have ended by then, from the end of the load on. */
const END_MS = 300_000;
/** Clients must have everything by then, and nothing may be left, from the end of the last run on. */
const QUIET_MS = 60_000;
const PACE_MS = 250;
const START_PACE_MS = 20;

export class FaultScene {
  /** What was received beside what the clients of the scene receive: checked at the end. */
  readonly captures: CaptureEvidence[] = [];
  private readonly loads: Load[] = [];
  private followers: Followers | undefined;
  private followed = 0;
  private readonly singles: StartEvidence[] = [];
  private atRest: Resources = new Map();

  private constructor(
    private readonly options: SceneOptions,
    readonly cluster: Cluster,
    /** The Redis of the cluster. */
    private readonly ownRedis: RedisServer | undefined,
    private readonly targets: Targets,
  ) {}

  static async start(options: SceneOptions): Promise<FaultScene> {
    const { hasRedis = options.roles.length > 1, redisParent: parent } = options;
    const target = await Target.start();
    const models = await LlmStub.start();
    models.otherwise = message();
    const redis = hasRedis
      ? await RedisServer.start({ appendOnly: true, ...(parent !== undefined && { parent }) })
      : undefined;
    const targets = { target, models };
    try {
      const cluster = await Cluster.start(clusterOf(options, targets, redis));
      const scene = new FaultScene(options, cluster, redis, targets);
      await createAgents(scene.api, target);
      scene.atRest = await resourcesOf(cluster.members);
      return scene;
    } catch (error) {
      await Promise.all([target.stop(), models.stop(), redis?.stop()]);
      throw error;
    }
  }

  get databaseUrl(): string {
    return this.options.databaseUrl;
  }

  get api(): Api {
    return new Api(this.cluster.url);
  }

  get redis(): RedisServer {
    if (this.ownRedis === undefined) throw new Error('there is no Redis');
    return this.ownRedis;
  }

  get target(): Target {
    return this.targets.target;
  }

  /** All starts that were answered so far. */
  get accepted(): readonly StartEvidence[] {
    return [...this.singles, ...this.loads.flatMap(({ accepted }) => accepted)];
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

  /** Begins to start runs, and sockets to follow them. */
  load(options: LoadOptions): Load {
    const load = new Load(() => this.cluster.url, options).start();
    this.loads.push(load);
    this.followers ??= new Followers({
      urlOf: () => this.cluster.url,
      nextRun: () => this.nextToFollow(),
      random: seededRandom(1),
    }).start(this.options.sockets ?? 0);
    return load;
  }

  /** How long it takes from now to the next step that begins, in milliseconds. There must be a load. */
  async untilNextStart(): Promise<number> {
    const { databaseUrl } = this;
    const before = performance.now();
    const place = await lastPlace(databaseUrl);
    await until(() => hasStarted(databaseUrl, place), 'a step begins', END_MS, START_PACE_MS);
    return performance.now() - before;
  }

  /** Resolves when so many runs more are accepted than were. */
  async untilAccepted(count: number): Promise<void> {
    const wanted = this.accepted.length + count;
    await until(() => this.accepted.length >= wanted, `${wanted} runs are accepted`, END_MS, PACE_MS);
  }

  /** Starts no more, waits until every run has ended and nothing is left, stops the processes, and checks. */
  async finish(): Promise<SceneEnd> {
    await Promise.all(this.loads.map((load) => load.stop()));
    const troubles = this.loads.flatMap(({ refused }) =>
      refused.map((key) => `start ${key} was never answered`),
    );
    const late = await this.untilEnded();
    await this.untilFollowed();
    const baselines = await this.untilNothingIsLeft();
    const ends = await this.cluster.stop();
    const check = await checkRecord(
      { databaseUrl: this.databaseUrl },
      {
        effects: this.target.effects(),
        accepted: this.accepted,
        keyed: new Map(),
        captures: [...(this.followers?.captured() ?? []), ...this.captures],
        limits: [limitOf(this.options.lostLeases ?? 0)],
        baselines,
        troubles: [...troubles, ...this.cluster.troubles()],
        isOver: true,
      },
    );
    const unclean = ends.filter(({ code }) => code !== 0);
    return {
      ...check,
      violations: [...check.violations, ...late, ...unclean.map(asViolation)],
      statuses: await statusesOf(this.databaseUrl),
      failures: await failuresOf(this.databaseUrl),
      mostLimited: this.target.mostLimited,
    };
  }

  /** Ends everything that there is, and keeps the logs in .cache/faults/logs. */
  async end(): Promise<void> {
    for (const load of this.loads) load.leave();
    this.followers?.leave();
    this.keepLogs();
    await this.cluster.end();
    await this.ownRedis?.stop();
    await this.target.stop();
    await this.targets.models.stop();
  }

  private nextToFollow(): string | undefined {
    const { accepted } = this;
    // The newest one that nobody follows: clients that follow old runs see nothing live.
    if (this.followed >= accepted.length) return undefined;
    this.followed = accepted.length;
    return accepted.at(-1)?.runId;
  }

  /** I3: what has not ended in time. */
  private async untilEnded(): Promise<readonly Violation[]> {
    const isOver = async (): Promise<boolean> => (await openRuns(this.databaseUrl)).length === 0;
    try {
      await until(isOver, 'all runs have ended', END_MS, PACE_MS);
      return [];
    } catch {
      const left = await openRuns(this.databaseUrl);
      return left.map(({ id, status }) => ({
        ...{ invariant: 'I3', runId: id, message: `${status} ${END_MS} ms after the load` },
      }));
    }
  }

  private async untilFollowed(): Promise<void> {
    const stopped = this.followers?.stop();
    let isOver = false;
    void stopped?.then(() => (isOver = true));
    await until(
      () => isOver || stopped === undefined,
      'all clients have everything',
      QUIET_MS,
      PACE_MS,
    ).catch(() => {
      this.followers?.leave(); // the checker says what they miss
    });
  }

  private async untilNothingIsLeft(): Promise<readonly BaselineEvidence[]> {
    const count = async (): Promise<readonly BaselineEvidence[]> => {
      const running = this.cluster.members.filter(({ isAlive }) => isAlive).length;
      const inSql = await leftovers(this.databaseUrl, running);
      const held = resourcesLeft(this.atRest, await resourcesOf(this.cluster.members));
      return [...inSql, ...held, { what: 'calls under way', before: 0, after: this.target.openCalls }];
    };
    const isQuiet = async (): Promise<boolean> =>
      (await count()).every(({ before, after }) => before === after);
    await until(isQuiet, 'nothing is left', QUIET_MS, PACE_MS).catch(() => undefined); // told by the checker
    return count();
  }

  private keepLogs(): void {
    const folder = '.cache/faults/logs';
    mkdirSync(folder, { recursive: true });
    for (const member of this.cluster.members) {
      writeFileSync(`${folder}/${this.options.name}-${member.name}.log`, member.log());
    }
  }
}

function clusterOf(
  { databaseUrl, roles, script, isProxied = false, env }: SceneOptions,
  { target, models }: Targets,
  redis: RedisServer | undefined,
): ClusterOptions {
  return {
    ...{ databaseUrl, roles, isProxied },
    ...(script !== undefined && { script }),
    ...(redis !== undefined && { redisUrl: redis.url }),
    env: {
      EGRESS_ALLOWED_HOSTS: target.host,
      ANTHROPIC_API_KEY: 'sk-stub',
      ANTHROPIC_BASE_URL: models.baseUrl,
      AGENT_MAX_CONCURRENT_WORKFLOWS: '50',
      ...env,
    },
  };
}

function asViolation({ code, signal }: { code: number | null; signal: string | null }): Violation {
  return {
    invariant: 'I13',
    message: `a process that was asked to stop ended with ${String(code ?? signal)}`,
  };
}
