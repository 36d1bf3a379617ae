/**
 * The commands of `npm run keys`.
 *
 * Decided here: arguments and what is printed. What a key is, and how it is made, is decided by key.service.ts.
 */
import { parseArgs } from 'node:util';

import { isoOf } from '../../kernel/time.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import type { ApiKey, Role } from '../ports/key.store.js';
import type { KeyService } from './key.service.js';

const ROLES: readonly Role[] = ['admin', 'editor', 'operator', 'approver', 'viewer'];
const DAY_MS = 86_400_000;
const AGENT_KEY = /^[A-Za-z0-9][\w.-]{0,99}$/;

export const USAGE = `Usage:
  npm run keys -- create --name <name> [--namespace default] [--role ${ROLES.join('|')}] [--expires-days <n>]
                        [--agents <key>,<key>: a worker's key, for tasks of these agents only]
  npm run keys -- list [--namespace default]
  npm run keys -- revoke <id> [--namespace default]`;

export type KeyCommand =
  | {
      readonly kind: 'create';
      readonly name: string;
      readonly namespace: string;
      readonly role: Role;
      readonly agents?: readonly string[];
      readonly expiresDays?: number;
    }
  | { readonly kind: 'list'; readonly namespace: string }
  | { readonly kind: 'revoke'; readonly namespace: string; readonly id: string };

/** Parses the arguments after the name of the program, or tells what is wrong with them. */
export function parseKeyCommand(args: readonly string[]): Result<KeyCommand, string> {
  try {
    return commandOf(args);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** Carries a command out; answers what to print, or why nothing was done. */
export async function runKeyCommand(
  command: KeyCommand,
  keys: KeyService,
  now: number,
): Promise<Result<string, string>> {
  switch (command.kind) {
    case 'create':
      return ok(await create(command, keys, now));
    case 'list':
      return ok(tableOf(await keys.list(command.namespace), now));
    case 'revoke':
      return (await keys.revoke(command.namespace, command.id))
        ? ok(`Revoked ${command.id}.`)
        : fail(`There is no key ${command.id} in namespace ${command.namespace}, or it was revoked before.`);
  }
}

function commandOf(args: readonly string[]): Result<KeyCommand, string> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      namespace: { type: 'string', default: 'default' },
      role: { type: 'string', default: 'admin' },
      agents: { type: 'string' },
      'expires-days': { type: 'string' },
    },
  });
  const [kind, id, ...more] = positionals;
  const { namespace } = values;
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(namespace)) {
    return fail('--namespace must be of lower-case letters, digits and hyphens, at most 63');
  }
  if (kind === 'list' && id === undefined) return ok({ kind, namespace });
  if (kind === 'revoke' && id !== undefined && more.length === 0) return ok({ kind, namespace, id });
  if (kind === 'create' && id === undefined) return createOf(values, namespace);
  return fail('Expected create, list, or revoke with the id of a key');
}

interface CreateValues {
  readonly name?: string;
  readonly role: string;
  readonly agents?: string;
  readonly 'expires-days'?: string;
}

function createOf(values: CreateValues, namespace: string): Result<KeyCommand, string> {
  const { name, agents: listed, 'expires-days': days } = values;
  const role = ROLES.find((known) => known === values.role);
  if (name === undefined || !/^[^\p{C}]{1,100}$/u.test(name)) {
    return fail('--name is required: 1 to 100 visible characters');
  }
  if (role === undefined) return fail(`--role must be one of ${ROLES.join(', ')}`);
  const agents = listed?.split(',');
  if (agents?.every((key) => AGENT_KEY.test(key)) === false) {
    return fail('--agents must be keys of agents divided by commas, such as translator,reviewer');
  }
  const command = { kind: 'create', name, namespace, role, ...(agents !== undefined && { agents }) } as const;
  if (days === undefined) return ok(command);
  if (!/^[1-9]\d{0,4}$/.test(days)) return fail('--expires-days must be a whole number from 1 to 99999');
  return ok({ ...command, expiresDays: Number(days) });
}

async function create(
  { expiresDays, kind: _, ...wanted }: KeyCommand & { readonly kind: 'create' },
  keys: KeyService,
  now: number,
): Promise<string> {
  const expiry = expiresDays === undefined ? {} : { expiresAt: now + expiresDays * DAY_MS };
  const { key, secret } = await keys.create({ ...wanted, ...expiry });
  return `Made ${key.id} (${rightsOf(key)} of ${key.namespace}). This is the key, shown this once:\n\n  ${secret}\n`;
}

function tableOf(keys: readonly ApiKey[], now: number): string {
  if (keys.length === 0) return 'There are no keys.';
  const rows = keys.map((key) =>
    [key.id, rightsOf(key), isoOf(key.createdAt), stateOf(key, now), key.name].join('  '),
  );
  return rows.join('\n');
}

function rightsOf({ role, agents }: ApiKey): string {
  return agents === undefined ? role : `tasks of ${agents.join(', ')}`;
}

function stateOf({ expiresAt, revokedAt }: ApiKey, now: number): string {
  if (revokedAt !== undefined) return `revoked ${isoOf(revokedAt)}`;
  if (expiresAt === undefined) return 'valid';
  return `${expiresAt <= now ? 'expired' : 'valid until'} ${isoOf(expiresAt)}`;
}
