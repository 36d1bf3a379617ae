import { Injectable } from '@nestjs/common';

import type { Json } from '../../kernel/json.js';
import { LimitConfig } from '../config/app.config.js';
import { parseJson } from '../http/json-body.js';
import { WorkerPool, type WorkerTask } from '../lifecycle/worker-pool.js';
import type { YamlBounds } from './yaml-text.js';

const READ: WorkerTask<{ readonly text: string; readonly bounds: YamlBounds }, string> = {
  module: 'platform/yaml/yaml-text.js',
  name: 'readYaml',
};
const WRITE: WorkerTask<Json, string> = { module: 'platform/yaml/yaml-text.js', name: 'writeYaml' };

/** How long one text may take. */
const TIMEOUT_MS = 5_000;

/** Reads and writes YAML, away from the main loop. What is read is held to the bounds of JSON bodies, too. */
@Injectable()
export class YamlService {
  private readonly bounds: YamlBounds;

  constructor(
    private readonly pool: WorkerPool,
    { maxJsonDepth, maxJsonKeys }: LimitConfig,
  ) {
    this.bounds = { maxDepth: maxJsonDepth, maxKeys: maxJsonKeys };
  }

  /**
   * The value of a YAML text.
   *
   * @throws AppError `request.invalid` with the line and column of the first problem, `request.too-large`,
   *   `check.limit-exceeded`
   */
  async read(text: string): Promise<Json> {
    const json = await this.pool.run(READ, { text, bounds: this.bounds }, TIMEOUT_MS);
    return parseJson(Buffer.from(json), this.bounds) as Json;
  }

  /** A value as a YAML text. @throws AppError `check.limit-exceeded` */
  write(value: Json): Promise<string> {
    return this.pool.run(WRITE, value, TIMEOUT_MS);
  }
}
