/** What a service says while the disk of its record is full. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { Api } from '../support/api.js';
import type { StartEvidence } from '../support/invariants/evidence.js';
import { until } from '../support/until.js';

/** A start and what it was answered with. */
export interface Started {
  readonly key: string;
  readonly status: number;
  readonly code: string;
  readonly hasRetryAfter: boolean;
  readonly afterMs: number;
  /** Of the run that it was answered with. */
  readonly runId?: string;
}

interface Readiness {
  readonly error: { readonly record?: { readonly reason?: string } };
}

/** Why a service is not ready whose record has no room, and one whose record is gone. */
export const FULL = 'the disk of the record is full';
export const AWAY = 'the record does not answer';

const DEADLINE_MS = 120_000;
const PACE_MS = 50;
const REFUSED_PACE_MS = 250;

/** More than is left anywhere, and nothing that a database can pack. */
const TEXT = randomBytes(150_000).toString('base64');
const DEFINITION = { steps: [{ id: 'a', agent: 'echo', input: { text: TEXT } }] };

/** Starts on a disk that is kept full, one after the other, each under a key of its own. */
export class RefusedStarts {
  /** In the order in which they were sent. */
  readonly sent: Started[] = [];

  constructor(
    private readonly url: string,
    private readonly fill: () => void,
  ) {}

  /** Resolves when a start is refused with one of these codes. */
  async begin(codes: readonly string[]): Promise<void> {
    const isRefused = async (): Promise<boolean> => {
      const { code } = await this.startOne();
      return codes.includes(code);
    };
    await until(isRefused, 'a start is refused because the disk is full', DEADLINE_MS, PACE_MS);
  }

  /** Goes on for a time. Answers those that were sent meanwhile. */
  async goOn(ms: number): Promise<readonly Started[]> {
    const { length } = this.sent;
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await this.startOne();
      await delay(REFUSED_PACE_MS);
    }
    return this.sent.slice(length);
  }

  /** Sends all of them again under their keys, as clients are told to do, until each is answered with a run. */
  async repeat(): Promise<readonly StartEvidence[]> {
    const runs: StartEvidence[] = [];
    for (const { key } of this.sent) {
      const isTaken = async (): Promise<boolean> => {
        const { runId } = await startUnder(this.url, key);
        if (runId !== undefined) runs.push({ runId, key });
        return runId !== undefined;
      };
      await until(isTaken, `start ${key} is answered with a run`, DEADLINE_MS, REFUSED_PACE_MS);
    }
    return runs;
  }

  private async startOne(): Promise<Started> {
    this.fill();
    const started = await startUnder(this.url, `full-${this.sent.length}`);
    this.sent.push(started);
    return started;
  }
}

async function startUnder(url: string, key: string): Promise<Started> {
  const before = performance.now();
  const { status, body, headers } = await new Api(url).post<{ id?: string; code?: string }>(
    '/runs',
    { definition: DEFINITION },
    { 'idempotency-key': key },
  );
  return {
    ...{ key, status, code: body.code ?? '', hasRetryAfter: headers.has('retry-after') },
    afterMs: performance.now() - before,
    ...(status < 300 && body.id !== undefined && { runId: body.id }),
  };
}

/** Resolves when it says that it is not ready for one of these reasons. */
export async function untilUnready(url: string, reasons: readonly string[]): Promise<void> {
  const isUnready = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/health/ready`);
    const { error } = (await answer.json()) as Readiness;
    return answer.status === 503 && reasons.includes(error.record?.reason ?? '');
  };
  await until(isUnready, 'the service is not ready, and says why', DEADLINE_MS, PACE_MS);
}

/** How long it takes from now until it says that it is ready, in milliseconds. */
export async function untilReady(url: string): Promise<number> {
  const before = performance.now();
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  await until(isReady, 'the service is ready', DEADLINE_MS, PACE_MS);
  return performance.now() - before;
}
