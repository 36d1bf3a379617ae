import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { Clock } from '../platform/clock/clock.js';
import { SecurityConfig, StorageConfig } from '../platform/config/app.config.js';
import { keepOutOfLogs } from '../platform/logging/known-secrets.js';
import type { SealPlace, SealSource } from '../platform/ports/seal.source.js';
import { SecretSource } from '../platform/ports/secret.source.js';
import { SecretBox } from './secret-box.js';
import { loadKey } from './secret-key.js';
import { secretErrors } from './secret.errors.js';
import { SecretStore, type SealedSecret } from './secret.store.js';

/** What anybody may know about a secret. */
export type SecretNote = Pick<SealedSecret, 'name' | 'createdAt' | 'updatedAt'>;

/** Secrets: set, listed and deleted by people; read by the calls that need them, and by nobody else. */
@Injectable()
export class SecretService extends SecretSource implements SealSource {
  private box: Promise<SecretBox> | undefined;

  constructor(
    private readonly store: SecretStore,
    private readonly clock: Clock,
    private readonly security: SecurityConfig,
    private readonly storage: StorageConfig,
  ) {
    super();
  }

  /** Sets the value of a secret, which may be new. @throws AppError `secret.not-configured` */
  async put(namespace: string, name: string, value: string): Promise<SecretNote> {
    keepOutOfLogs(value);
    const box = await this.openBox();
    const now = this.clock.now();
    const sealed = box.seal(value, { namespace, name });
    await this.store.put({ namespace, name, sealed, createdAt: now, updatedAt: now });
    return noteOf((await this.store.find(namespace, name)) ?? { name, createdAt: now, updatedAt: now });
  }

  override async get(namespace: string, name: string): Promise<string> {
    const row = await this.store.find(namespace, name);
    if (row === undefined) throw notFound(name);
    return this.open(row.sealed, { namespace, name });
  }

  async seal(value: string, place: SealPlace): Promise<string> {
    keepOutOfLogs(value);
    return (await this.openBox()).seal(value, place);
  }

  async open(sealed: string, place: SealPlace): Promise<string> {
    const value = (await this.openBox()).open(sealed, place);
    if (value === undefined) {
      const message = `The secret "${place.name}" was encrypted with another key than the present one. Set it again, or bring the key back.`;
      throw AppError.of(secretErrors['secret.unreadable'], message, { details: { name: place.name } });
    }
    keepOutOfLogs(value);
    return value;
  }

  /** Secrets by name, without their values. */
  async list(namespace: string, page: PageRequest): Promise<Page<SecretNote>> {
    const { items, ...rest } = await this.store.list(namespace, page);
    return { ...rest, items: items.map(noteOf) };
  }

  /** Whether there is a secret of that name. */
  async has(namespace: string, name: string): Promise<boolean> {
    return (await this.store.find(namespace, name)) !== undefined;
  }

  /** @throws AppError `secret.not-found` */
  async delete(namespace: string, name: string): Promise<void> {
    if (!(await this.store.delete(namespace, name))) throw notFound(name);
  }

  /** The key is loaded when it is needed first; a failure is not kept. */
  private openBox(): Promise<SecretBox> {
    this.box ??= loadKey(this.security, this.storage).then(
      (key) => new SecretBox(key),
      (error: unknown) => {
        this.box = undefined;
        throw error;
      },
    );
    return this.box;
  }
}

function noteOf({ name, createdAt, updatedAt }: SecretNote): SecretNote {
  return { name, createdAt, updatedAt };
}

function notFound(name: string): AppError {
  return AppError.of(secretErrors['secret.not-found'], `There is no secret "${name}".`, {
    details: { name },
  });
}
