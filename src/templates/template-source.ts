import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { isId } from '../kernel/ids.js';
import { TemplateConfig } from '../platform/config/app.config.js';
import { CacheCounts, type CacheCount } from '../platform/telemetry/cache-counts.js';
import { HotStore, type HotKey } from '../platform/ports/hot.store.js';
import { templateErrors } from './domain/template.errors.js';
import {
  selectVersion,
  type SelectedVersion,
  type TemplateHead,
  type TemplateVersion,
  type VersionSelector,
} from './domain/template.js';
import { TemplateStore, type TemplateKey } from './template.store.js';

/** One version of a template, and the label that led there. */
export interface FoundTemplate extends SelectedVersion {
  readonly head: TemplateHead;
  readonly content: TemplateVersion;
}

/**
 * Reads templates through the cache, for `AGENT_TEMPLATE_CACHE_TTL` seconds.
 *
 * Versions never change, so only a head is forgotten on an edit, and a name when its template is deleted.
 */
@Injectable()
export class TemplateSource {
  private readonly count: CacheCount;

  constructor(
    private readonly store: TemplateStore,
    private readonly hot: HotStore,
    private readonly config: TemplateConfig,
    caches: CacheCounts,
  ) {
    this.count = caches.of('templates');
  }

  /** A template by id or name; undefined when there is none. */
  async find(namespace: string, reference: string): Promise<TemplateHead | undefined> {
    const key = keyOf(reference);
    const id = 'id' in key ? key.id : await this.idOf(namespace, key.name);
    if (id === undefined) return undefined;
    return this.cached({ namespace, area: 'template-head', id }, () => this.store.find(namespace, { id }));
  }

  /** One version of a template. @throws AppError `template.version-not-found` when it was deleted meanwhile */
  async version(namespace: string, { id, name }: TemplateHead, version: number): Promise<TemplateVersion> {
    const key = { namespace, area: 'template-version', id: `${id}:${String(version)}` };
    const found = await this.cached(key, () => this.store.findVersion(namespace, id, version));
    if (found !== undefined) return found;
    throw AppError.of(
      templateErrors['template.version-not-found'],
      `${name} has no version ${String(version)} any more`,
    );
  }

  /**
   * The version that a selector means, of a template by id or name.
   *
   * @throws AppError `template.not-found`, `template.version-not-found`, `template.label-not-found`
   */
  async get(namespace: string, reference: string, selector: VersionSelector): Promise<FoundTemplate> {
    const head = await this.find(namespace, reference);
    if (head === undefined) throw templateNotFound(reference);
    const selected = selectVersion(head, selector);
    if (!selected.ok) throw new AppError(selected.failure);
    const content = await this.version(namespace, head, selected.value.version);
    return { head, content, ...selected.value };
  }

  /** Forgets a template that was changed or deleted, on every process. */
  async forget(namespace: string, { id, name }: Pick<TemplateHead, 'id' | 'name'>): Promise<void> {
    await Promise.all([
      this.hot.invalidate({ namespace, area: 'template-head', id }),
      this.hot.invalidate({ namespace, area: 'template-name', id: name }),
    ]);
  }

  private idOf(namespace: string, name: string): Promise<string | undefined> {
    const key = { namespace, area: 'template-name', id: name };
    return this.cached(key, async () => (await this.store.find(namespace, { name }))?.id);
  }

  private async cached<T>(key: HotKey, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const how = { isLoaded: false };
    const value = await this.hot.fill(key, this.config.cacheTtlMs, () => {
      how.isLoaded = true;
      this.count.misses += 1;
      return load();
    });
    if (!how.isLoaded) this.count.hits += 1;
    return value;
  }
}

/** What a text names: an id has a form that no name has. */
export function keyOf(reference: string): TemplateKey {
  return isId('tpl', reference) ? { id: reference } : { name: reference };
}

export function templateNotFound(reference: string): AppError {
  return AppError.of(
    templateErrors['template.not-found'],
    `there is no template ${JSON.stringify(reference)}`,
  );
}
