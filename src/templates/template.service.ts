import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { Clock } from '../platform/clock/clock.js';
import { requireVersion } from '../platform/http/if-match.js';
import { IdSource } from '../platform/ids/id.source.js';
import { diffVersions, type TemplateDiff } from './domain/diff.js';
import { templateErrors } from './domain/template.errors.js';
import {
  isSameBody,
  LATEST,
  selectVersion,
  type TemplateBody,
  type TemplateHead,
  type TemplateRevision,
  type TemplateVersion,
  type VersionSelector,
} from './domain/template.js';
import { EditLanes } from '../platform/versions/edit-lanes.js';
import { ReferenceChecks } from './reference.check.js';
import { TemplateCompiler } from './template-compiler.js';
import { keyOf, templateNotFound, TemplateSource, type FoundTemplate } from './template-source.js';
import { TemplateStore, type TemplateFilter } from './template.store.js';

/** How often an edit is tried again that another process was faster than. */
const MAX_TRIES = 20;

/** Who asks for a change, of what, and why. */
export interface TemplateEdit {
  readonly namespace: string;
  /** Id or name of the template. */
  readonly reference: string;
  /** The id of the key, or `anonymous`. */
  readonly author: string;
  readonly changeNote?: string;
  /** The versions that the change may be based on; absent: any. */
  readonly accepted?: readonly number[];
}

/** A template to be made. */
export interface CreateTemplate {
  readonly namespace: string;
  readonly name: string;
  readonly body: TemplateBody;
  readonly author: string;
  readonly changeNote?: string;
  /** @default a fresh one */
  readonly id?: string;
}

/** A label to be moved. */
export interface LabelMove {
  readonly label: string;
  readonly version: number;
  readonly reason?: string;
}

/** Templates: writing and reading them. */
@Injectable()
export class TemplateService {
  private readonly lanes = new EditLanes();

  constructor(
    private readonly store: TemplateStore,
    private readonly source: TemplateSource,
    private readonly compiler: TemplateCompiler,
    private readonly references: ReferenceChecks,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {}

  /** Makes a template with version 1. @throws AppError `template.invalid`, `template.too-large`, `template.name-taken` */
  async create({ namespace, name, body, author, changeNote, id }: CreateTemplate): Promise<FoundTemplate> {
    const { undeclared } = await this.compiler.compile(namespace, body, name);
    const first: TemplateVersion = {
      ...{ version: 1, body, undeclared, author, createdAt: this.clock.now() },
      ...(changeNote !== undefined && { changeNote }),
    };
    const template = { id: id ?? this.ids.next('tpl'), name, first };
    if (!(await this.store.create(namespace, template))) {
      throw AppError.of(templateErrors['template.name-taken'], `there is a template named "${name}" already`);
    }
    await this.source.forget(namespace, template);
    return this.source.get(namespace, template.id, { version: 1 });
  }

  /**
   * Adds a version, unless it would say the same as the latest one, which is then the answer.
   *
   * @param change the new body, from the latest version
   * @throws AppError `template.not-found`, `version.stale`, `template.invalid`, `template.contended`
   */
  update(edit: TemplateEdit, change: (latest: TemplateBody) => TemplateBody): Promise<FoundTemplate> {
    return this.inLane(edit, async (head) => {
      const latest = await this.source.version(edit.namespace, head, head.latest);
      return this.addVersion(edit, { head, latest, body: change(latest.body) });
    });
  }

  /**
   * Adds a version that says what an earlier one says. What that one includes is checked as of now.
   *
   * @throws AppError as `update`, and `template.version-not-found`
   */
  rollback(edit: TemplateEdit, version: number): Promise<FoundTemplate> {
    return this.inLane(edit, async (head) => {
      const selected = selectVersion(head, { version });
      if (!selected.ok) throw new AppError(selected.failure);
      const latest = await this.source.version(edit.namespace, head, head.latest);
      const { body } = await this.source.version(edit.namespace, head, version);
      const changeNote = edit.changeNote ?? `rollback to version ${String(version)}`;
      return this.addVersion({ ...edit, changeNote }, { head, latest, body });
    });
  }

  /** One version of a template. @throws AppError `template.not-found`, `template.version-not-found`, `template.label-not-found` */
  get(namespace: string, reference: string, selector: VersionSelector): Promise<FoundTemplate> {
    return this.source.get(namespace, reference, selector);
  }

  /** Templates, newest first, as their latest versions are. */
  list(namespace: string, filter: TemplateFilter, page: PageRequest): Promise<Page<TemplateHead>> {
    return this.store.list(namespace, filter, page);
  }

  /** Versions of a template, newest first. @throws AppError `template.not-found` */
  async versions(namespace: string, reference: string, page: PageRequest): Promise<Page<TemplateRevision>> {
    const { id } = await this.require(namespace, reference);
    return this.store.listVersions(namespace, id, page);
  }

  /** What changed between two versions. @throws AppError `template.not-found`, `template.version-not-found` */
  async diff(namespace: string, reference: string, from: number, to: number): Promise<TemplateDiff> {
    const before = await this.source.get(namespace, reference, { version: from });
    const after = await this.source.get(namespace, reference, { version: to });
    return diffVersions(before.content, after.content);
  }

  /**
   * Puts a label on a version. What that version includes is checked as of now.
   *
   * @throws AppError `template.not-found`, `template.version-not-found`, `template.label-reserved`, `template.invalid`
   */
  async moveLabel(edit: TemplateEdit, { label, version, reason }: LabelMove): Promise<FoundTemplate> {
    const { namespace, reference, author } = edit;
    requireFree(label);
    const found = await this.source.get(namespace, reference, { version });
    await this.compiler.compile(namespace, found.content.body, found.head.name);
    const mark = { label, version, movedBy: author, movedAt: this.clock.now() };
    const isMoved = await this.store.moveLabel(namespace, found.head.id, {
      ...mark,
      ...(reason !== undefined && { reason }),
    });
    if (!isMoved) throw templateNotFound(reference);
    await this.source.forget(namespace, found.head);
    return this.source.get(namespace, found.head.id, { label });
  }

  /** Takes a label away. @throws AppError `template.not-found`, `template.label-not-found`, `template.label-reserved` */
  async removeLabel(namespace: string, reference: string, label: string): Promise<void> {
    requireFree(label);
    const head = await this.require(namespace, reference);
    const isRemoved = await this.store.removeLabel(namespace, head.id, label);
    await this.source.forget(namespace, head);
    if (isRemoved) return;
    const message = `no version of ${head.name} carries the label "${label}"`;
    throw AppError.of(templateErrors['template.label-not-found'], message);
  }

  /**
   * Deletes a template with all its versions. Runs that use it go on: they carry what they need.
   *
   * @param isForced delete it even if something refers to it
   * @throws AppError `template.not-found`, `template.in-use` saying by what
   */
  async delete(namespace: string, reference: string, isForced: boolean): Promise<void> {
    const head = await this.require(namespace, reference);
    if (!isForced) await this.requireUnused(namespace, head);
    const isDeleted = await this.store.delete(namespace, head.id);
    await this.source.forget(namespace, head);
    if (!isDeleted) throw templateNotFound(reference);
  }

  private async requireUnused(namespace: string, { id, name }: TemplateHead): Promise<void> {
    const references = await this.references.referencesTo(namespace, { id, name });
    if (references.length === 0) return;
    const named = references.map(({ kind, id: of, name: called = of, version }) =>
      version === undefined ? `${kind} ${called}` : `${kind} ${called} version ${String(version)}`,
    );
    throw AppError.of(
      templateErrors['template.in-use'],
      `"${name}" is used by ${named.join(', ')}. What uses it fails without it; repeat with ?force=true to delete it all the same`,
      { details: { references: references.map((one) => ({ ...one })) } },
    );
  }

  /** One edit of a template after the other; one that another process was faster than is made again. */
  private async inLane(
    { namespace, reference, accepted }: TemplateEdit,
    edit: (head: TemplateHead) => Promise<FoundTemplate | undefined>,
  ): Promise<FoundTemplate> {
    const { id } = await this.require(namespace, reference);
    return this.lanes.run(`${namespace}\n${id}`, async () => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const head = await this.require(namespace, id);
        requireVersion(accepted, head.latest);
        const edited = await edit(head);
        if (edited !== undefined) return edited;
      }
      const message = `others changed the template ${String(MAX_TRIES)} times meanwhile; try again`;
      throw AppError.of(templateErrors['template.contended'], message);
    });
  }

  /** Undefined when another process was faster. */
  private async addVersion(
    { namespace, author, changeNote }: TemplateEdit,
    { head, latest, body }: { head: TemplateHead; latest: TemplateVersion; body: TemplateBody },
  ): Promise<FoundTemplate | undefined> {
    if (isSameBody(body, latest.body)) return { head, version: head.latest, label: LATEST, content: latest };
    const { undeclared } = await this.compiler.compile(namespace, body, head.name);
    const createdAt = this.clock.now();
    const content: TemplateVersion = {
      ...{ version: head.latest + 1, body, undeclared, author, createdAt },
      ...(changeNote !== undefined && { changeNote }),
    };
    const isAdded = await this.store.addVersion(namespace, head.id, content);
    await this.source.forget(namespace, head);
    if (!isAdded) return undefined;
    const { version } = content;
    return { head: headWith(head, content), version, label: LATEST, content };
  }

  /** A template as the record has it. */
  private async require(namespace: string, reference: string): Promise<TemplateHead> {
    const head = await this.store.find(namespace, keyOf(reference));
    if (head === undefined) throw templateNotFound(reference);
    return head;
  }
}

/** A head once a version was added to it. */
function headWith(head: TemplateHead, { version, body, createdAt }: TemplateVersion): TemplateHead {
  const { description: _, ...rest } = head;
  const { kind, description, tags } = body;
  const now = { kind, tags, latest: version, updatedAt: createdAt };
  return { ...rest, ...now, ...(description !== undefined && { description }) };
}

function requireFree(label: string): void {
  if (label !== LATEST) return;
  const message = 'the label "latest" belongs to the system: it is always on the newest version';
  throw AppError.of(templateErrors['template.label-reserved'], message);
}
