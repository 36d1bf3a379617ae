import { AppError, type ErrorType } from '../../kernel/failure.js';
import { canonicalJson, type Json } from '../../kernel/json.js';
import { LATEST } from '../../kernel/versions.js';
import type { Clock } from '../clock/clock.js';
import { requireVersion } from '../http/if-match.js';
import type { ResourceHead, VersionedStore, VersionEntry } from '../ports/versioned.store.js';
import { EditLanes } from './edit-lanes.js';
import type { FoundResource, ResourceSource } from './resource-source.js';

/** How often an edit is tried again that another process was faster than. */
const MAX_TRIES = 20;

/** Who asks for a change, of what, and why. */
export interface ResourceEdit {
  readonly namespace: string;
  /** Id or name of the resource. */
  readonly reference: string;
  /** The id of the key, or `anonymous`. */
  readonly author: string;
  readonly changeNote?: string;
  /** The versions that the change may be based on; absent: any. */
  readonly accepted?: readonly number[];
}

/** A resource to be made. */
export interface CreateResource<B> {
  readonly id: string;
  readonly name: string;
  readonly body: B;
}

/** A label to be moved. */
export interface LabelMove {
  readonly label: string;
  readonly version: number;
  readonly reason?: string;
}

/** What a feature decides about its resources. */
export interface EditRules<B> {
  readonly errors: {
    readonly nameTaken: ErrorType;
    readonly labelNotFound: ErrorType;
    readonly labelReserved: ErrorType;
    readonly contended: ErrorType;
  };
  /** Refuses a body that must not be kept. */
  check(namespace: string, body: B): Promise<void>;
  /** What a body is found by, and what it uses. */
  index(body: B): Omit<VersionEntry<B>, 'content'>;
}

/** What an editor works with. */
export interface EditTools<B> {
  readonly store: VersionedStore<B>;
  readonly source: ResourceSource<B>;
  readonly clock: Clock;
}

/** Makes and changes resources of one type: numbered versions, labels, rollback. */
export class ResourceEditor<B> {
  private readonly lanes = new EditLanes();

  constructor(
    private readonly tools: EditTools<B>,
    private readonly rules: EditRules<B>,
  ) {}

  /** Makes a resource with version 1. @throws AppError "name taken", and what the check refuses */
  async create(
    { namespace, author, changeNote }: Omit<ResourceEdit, 'reference' | 'accepted'>,
    { id, name, body }: CreateResource<B>,
  ): Promise<FoundResource<B>> {
    await this.rules.check(namespace, body);
    const first = this.entryOf(body, { version: 1, author, ...(changeNote !== undefined && { changeNote }) });
    if (!(await this.tools.store.create(namespace, { id, name, first }))) {
      throw AppError.of(this.rules.errors.nameTaken, `"${name}" is taken already`);
    }
    await this.tools.source.forget(namespace, { id, name });
    return this.tools.source.get(namespace, id, { version: 1 });
  }

  /**
   * Adds a version, unless it would say the same as the latest one, which is then the answer.
   *
   * @param change the new body, from the latest version's
   * @throws AppError "not found", `version.stale`, "contended", and what the check refuses
   */
  update(edit: ResourceEdit, change: (latest: B) => B): Promise<FoundResource<B>> {
    return this.inLane(edit, async (head) => {
      const latest = await this.tools.source.version(edit.namespace, head, head.latest);
      return this.addVersion(edit, head, change(latest.body));
    });
  }

  /** Adds a version that says what an earlier one says. @throws AppError as `update`, and "version not found" */
  rollback(edit: ResourceEdit, version: number): Promise<FoundResource<B>> {
    return this.inLane(edit, async (head) => {
      this.tools.source.select(head, { version });
      const { body } = await this.tools.source.version(edit.namespace, head, version);
      const changeNote = edit.changeNote ?? `rollback to version ${String(version)}`;
      return this.addVersion({ ...edit, changeNote }, head, body);
    });
  }

  /** Puts a label on a version. @throws AppError "not found", "version not found", "label reserved" */
  async moveLabel(edit: ResourceEdit, { label, version, reason }: LabelMove): Promise<FoundResource<B>> {
    const { namespace, reference, author } = edit;
    const { store, source, clock } = this.tools;
    this.requireFree(label);
    const { head } = await source.get(namespace, reference, { version });
    const mark = { label, version, movedBy: author, movedAt: clock.now() };
    const isMoved = await store.moveLabel(namespace, head.id, {
      ...mark,
      ...(reason !== undefined && { reason }),
    });
    if (!isMoved) throw source.notFound(reference);
    await source.forget(namespace, head);
    return source.get(namespace, head.id, { label });
  }

  /** Takes a label away. @throws AppError "not found", "label not found", "label reserved" */
  async removeLabel(namespace: string, reference: string, label: string): Promise<void> {
    this.requireFree(label);
    const head = await this.require(namespace, reference);
    const isRemoved = await this.tools.store.removeLabel(namespace, head.id, label);
    await this.tools.source.forget(namespace, head);
    if (isRemoved) return;
    const message = `no version of ${head.name} carries the label "${label}"`;
    throw AppError.of(this.rules.errors.labelNotFound, message);
  }

  /** Sets the status of a resource, or takes it away. @throws AppError "not found" */
  async setStatus(namespace: string, reference: string, status: string | undefined): Promise<ResourceHead> {
    const head = await this.require(namespace, reference);
    const isSet = await this.tools.store.setStatus(namespace, head.id, status);
    await this.tools.source.forget(namespace, head);
    if (!isSet) throw this.tools.source.notFound(reference);
    return this.require(namespace, head.id);
  }

  /**
   * Deletes a resource with all its versions.
   *
   * @param requireUnused refuses by throwing
   * @throws AppError "not found"
   */
  async delete(
    namespace: string,
    reference: string,
    requireUnused: (head: ResourceHead) => Promise<void>,
  ): Promise<void> {
    const head = await this.require(namespace, reference);
    await requireUnused(head);
    const isDeleted = await this.tools.store.delete(namespace, head.id);
    await this.tools.source.forget(namespace, head);
    if (!isDeleted) throw this.tools.source.notFound(reference);
  }

  /** One edit of a resource after the other; one that another process was faster than is made again. */
  private async inLane(
    { namespace, reference, accepted }: ResourceEdit,
    edit: (head: ResourceHead) => Promise<FoundResource<B> | undefined>,
  ): Promise<FoundResource<B>> {
    const { id } = await this.require(namespace, reference);
    return this.lanes.run(`${namespace}\n${id}`, async () => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const head = await this.require(namespace, id);
        requireVersion(accepted, head.latest);
        const edited = await edit(head);
        if (edited !== undefined) return edited;
      }
      const message = `others changed it ${String(MAX_TRIES)} times meanwhile; try again`;
      throw AppError.of(this.rules.errors.contended, message);
    });
  }

  /** Undefined when another process was faster. */
  private async addVersion(
    { namespace, author, changeNote }: ResourceEdit,
    head: ResourceHead,
    body: B,
  ): Promise<FoundResource<B> | undefined> {
    const { store, source } = this.tools;
    const latest = await source.version(namespace, head, head.latest);
    if (isSame(body, latest.body)) return { head, version: head.latest, label: LATEST, content: latest };
    await this.rules.check(namespace, body);
    const version = head.latest + 1;
    const entry = this.entryOf(body, { version, author, ...(changeNote !== undefined && { changeNote }) });
    const isAdded = await store.addVersion(namespace, head.id, entry);
    await source.forget(namespace, head);
    if (!isAdded) return undefined;
    const { content, outline } = entry;
    const { title: _, description: __, ...kept } = head;
    const next = { ...kept, ...outline, latest: version, updatedAt: content.createdAt };
    return { head: next, version, label: LATEST, content };
  }

  private entryOf(
    body: B,
    written: { readonly version: number; readonly author: string; readonly changeNote?: string },
  ): VersionEntry<B> {
    const content = { ...written, body, createdAt: this.tools.clock.now() };
    return { content, ...this.rules.index(body) };
  }

  /** A resource as the record has it. */
  private async require(namespace: string, reference: string): Promise<ResourceHead> {
    const { store, source } = this.tools;
    const head = await store.find(namespace, source.keyOf(reference));
    if (head === undefined) throw source.notFound(reference);
    return head;
  }

  private requireFree(label: string): void {
    if (label !== LATEST) return;
    const message = 'the label "latest" belongs to the system: it is always on the newest version';
    throw AppError.of(this.rules.errors.labelReserved, message);
  }
}

function isSame(left: unknown, right: unknown): boolean {
  return canonicalJson(left as Json) === canonicalJson(right as Json);
}
