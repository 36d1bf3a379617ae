/**
 * Changing the context of a run from outside, and naming what it was.
 *
 * Decided here: when that is taken, and what it is refused for. Decided elsewhere: what steps write (context.ts).
 */
import { contextErrors } from '../../context/domain/context.errors.js';
import { mergePatch } from '../../context/domain/merge-patch.js';
import { failureOf, type Failure } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { written } from './context.js';
import { Draft } from './draft.js';
import type { ContextCommand } from './run.commands.js';
import { runErrors } from './run.errors.js';
import type { RunEvent, RunEventMap } from './run.events.js';
import type { RunState } from './run.state.js';
import { isTerminal } from './run.status.js';

/** The largest context that a patch may lead to, in characters of its JSON. */
export const MAX_CONTEXT_CHARS = 4 * 1_048_576;

/** How many snapshots a run has at most. */
export const MAX_SNAPSHOTS = 100;

export const SNAPSHOT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Why a run does not take a command; undefined when it does. */
export function refusalOfContext(state: RunState, command: ContextCommand): Failure | undefined {
  const { status, runId } = state;
  if (isTerminal(status) || status === 'cancelling') {
    const message = `run ${runId} is ${status}: its context can not be changed any more`;
    return failureOf(runErrors['run.not-active'], message, { details: { status } });
  }
  switch (command.type) {
    case 'patch-context':
      return refusalOfPatch(state, command);
    case 'create-snapshot':
      return refusalOfSnapshot(state, command.name);
    case 'restore-context':
      return status === 'paused' ? undefined : notPaused(state);
  }
}

/** Decides a command about the context. */
export function controlContext(
  state: RunState,
  command: ContextCommand & { readonly at: number },
): Result<readonly RunEvent[]> {
  const refusal = refusalOfContext(state, command);
  if (refusal !== undefined) return fail(refusal);
  const draft = new Draft(state, command.at);
  const { by } = command;
  switch (command.type) {
    case 'patch-context':
      draft.run('context.updated', {
        ...{ path: '', value: command.patch, reducer: 'merge-patch' },
        ...(by !== undefined && { actor: by }),
      });
      break;
    case 'create-snapshot':
      draft.run('snapshot.created', { name: command.name, ...(by !== undefined && { by }) });
      break;
    case 'restore-context':
      draft.run('context.updated', {
        ...{ path: '', value: command.context, reducer: 'replace', snapshot: command.name },
        ...(by !== undefined && { actor: by }),
      });
      break;
  }
  return ok(draft.events);
}

/** The context after a write; the one before where the write does not fit, which was refused before it was recorded. */
export function contextAfter(
  context: JsonObject,
  { path, value, reducer }: Pick<RunEventMap['context.updated'], 'path' | 'value' | 'reducer'>,
): JsonObject {
  if (reducer === 'merge-patch') return mergePatch(context, value as JsonObject);
  if (path === '') return value as JsonObject;
  const result = written(context, { path, value, reducer });
  return result.ok ? result.value : context;
}

function refusalOfPatch(
  { context, contextSeq, runId }: RunState,
  { patch, versions }: Extract<ContextCommand, { readonly type: 'patch-context' }>,
): Failure | undefined {
  if (versions?.includes(contextSeq) === false) {
    const message = `the context of run ${runId} is at version ${contextSeq} by now: read it again and repeat the change`;
    return failureOf(contextErrors['context.stale'], message, { details: { version: contextSeq } });
  }
  const chars = JSON.stringify(mergePatch(context, patch)).length;
  if (chars <= MAX_CONTEXT_CHARS) return undefined;
  const message = `the context would have ${chars} characters, and ${MAX_CONTEXT_CHARS} is the limit`;
  const details: { readonly [name: string]: Json } = { chars, limit: MAX_CONTEXT_CHARS };
  return failureOf(contextErrors['context.too-large'], message, { details });
}

function refusalOfSnapshot({ snapshots, runId }: RunState, name: string): Failure | undefined {
  if (snapshots.has(name)) {
    const message = `run ${runId} has a snapshot "${name}"; a snapshot never changes: take another name`;
    return failureOf(contextErrors['snapshot.exists'], message);
  }
  if (snapshots.size < MAX_SNAPSHOTS) return undefined;
  const message = `run ${runId} has ${MAX_SNAPSHOTS} snapshots: it takes no more`;
  return failureOf(contextErrors['snapshot.too-many'], message);
}

function notPaused({ runId, status }: RunState): Failure {
  const message = `run ${runId} is ${status}: pause it to restore its context`;
  return failureOf(runErrors['run.not-paused'], message, { details: { status } });
}
