import { AppError, type ErrorType } from '../../kernel/failure.js';
import { isId, type IdPrefix } from '../../kernel/ids.js';
import { selectVersion, type SelectedVersion, type VersionSelector } from '../../kernel/versions.js';
import type { HotKey, HotStore } from '../ports/hot.store.js';
import type { ResourceHead, ResourceKey, ResourceVersion, VersionedStore } from '../ports/versioned.store.js';

/** One version of a resource, and the label that led there. */
export interface FoundResource<B> extends SelectedVersion {
  readonly head: ResourceHead;
  readonly content: ResourceVersion<B>;
}

/** What a type of resources is called, and what is said when something is missing. */
export interface ResourceType {
  /** As people call it: `agent`. */
  readonly noun: string;
  readonly idPrefix: IdPrefix;
  readonly errors: {
    readonly notFound: ErrorType;
    readonly versionNotFound: ErrorType;
    readonly labelNotFound: ErrorType;
  };
}

/** Where resources are read, and for how long what was read may be served. */
export interface ResourceRecord<B> {
  readonly store: VersionedStore<B>;
  readonly hot: HotStore;
  readonly ttlMs: number;
}

/**
 * Reads resources of one type through the cache.
 *
 * Versions never change, so only a head is forgotten on an edit, and a name when its resource is deleted.
 */
export class ResourceSource<B> {
  constructor(
    private readonly type: ResourceType,
    private readonly record: ResourceRecord<B>,
  ) {}

  /** A resource by id or name; undefined when there is none. */
  async find(namespace: string, reference: string): Promise<ResourceHead | undefined> {
    const key = this.keyOf(reference);
    const id = 'id' in key ? key.id : await this.idOf(namespace, key.name);
    if (id === undefined) return undefined;
    return this.cached(this.hotKey(namespace, 'head', id), () => this.record.store.find(namespace, { id }));
  }

  /** One version. @throws AppError "version not found" when there is none, or it was deleted meanwhile */
  async version(
    namespace: string,
    { id, name }: Pick<ResourceHead, 'id' | 'name'>,
    version: number,
  ): Promise<ResourceVersion<B>> {
    const key = this.hotKey(namespace, 'version', `${id}:${String(version)}`);
    const found = await this.cached(key, () => this.record.store.findVersion(namespace, id, version));
    if (found !== undefined) return found;
    throw AppError.of(this.type.errors.versionNotFound, `${name} has no version ${String(version)} any more`);
  }

  /**
   * The version that a selector means, of a resource by id or name.
   *
   * @throws AppError the type's "not found", "version not found" or "label not found"
   */
  async get(namespace: string, reference: string, selector: VersionSelector): Promise<FoundResource<B>> {
    const head = await this.find(namespace, reference);
    if (head === undefined) throw this.notFound(reference);
    const selected = this.select(head, selector);
    const content = await this.version(namespace, head, selected.version);
    return { head, content, ...selected };
  }

  /** The version that a selector means. @throws AppError the type's "version not found" or "label not found" */
  select(head: ResourceHead, selector: VersionSelector): SelectedVersion {
    const selected = selectVersion(head, selector);
    if (selected.ok) return selected.value;
    const { versionNotFound, labelNotFound } = this.type.errors;
    const { missing, message } = selected.failure;
    throw AppError.of(missing === 'version' ? versionNotFound : labelNotFound, message);
  }

  /** Forgets a resource that was changed or deleted, on every process. */
  async forget(namespace: string, { id, name }: Pick<ResourceHead, 'id' | 'name'>): Promise<void> {
    await Promise.all([
      this.record.hot.invalidate(this.hotKey(namespace, 'head', id)),
      this.record.hot.invalidate(this.hotKey(namespace, 'name', name)),
    ]);
  }

  /** What a text names: an id has a form that no name has. */
  keyOf(reference: string): ResourceKey {
    return isId(this.type.idPrefix, reference) ? { id: reference } : { name: reference };
  }

  notFound(reference: string): AppError {
    const { noun, errors } = this.type;
    return AppError.of(errors.notFound, `there is no ${noun} ${JSON.stringify(reference)}`);
  }

  private idOf(namespace: string, name: string): Promise<string | undefined> {
    return this.cached(
      this.hotKey(namespace, 'name', name),
      async () => (await this.record.store.find(namespace, { name }))?.id,
    );
  }

  private cached<T>(key: HotKey, load: () => Promise<T | undefined>): Promise<T | undefined> {
    return this.record.hot.fill(key, this.record.ttlMs, load);
  }

  private hotKey(namespace: string, part: 'head' | 'name' | 'version', id: string): HotKey {
    return { namespace, area: `${this.type.noun}-${part}`, id };
  }
}
