/**
 * Prefixed ids that sort by time: `run_` and the 32 hexadecimal digits of a UUID version 7 (RFC 9562 §5.7).
 *
 * Pure: whoever needs a fresh id passes a fresh UUID (platform/ids).
 */

/** What an id names. */
export type IdPrefix =
  | 'run'
  | 'tpl'
  | 'agt'
  | 'wf'
  | 'sch'
  | 'tsk'
  | 'key'
  | 'own'
  | 'apd'
  | 'req'
  | 'apr'
  | 'whk'
  | 'dlv'
  | 'cmd';

/** An id from a UUID v7 in its canonical form. Sorts by creation time as plain text. */
export function makeId(prefix: IdPrefix, uuid: string): string {
  return `${prefix}_${uuid.replaceAll('-', '')}`;
}

/** True when the text has the form of an id with that prefix. Says nothing about whether it exists. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9a-f]{32}$/.test(text.slice(prefix.length + 1));
}

/**
 * The id of a child run: its parent's 48 time bits, then 80 bits of a hash of `parentRunId:stepPath`.
 *
 * A parent and its children lie in one partition of the log, and starting the same child twice finds it.
 *
 * @param hash at least 20 hexadecimal digits
 */
export function makeChildRunId(parentRunId: string, hash: string): string {
  return `run_${parentRunId.slice(4, 16)}${hash.slice(0, 20)}`;
}

/**
 * The id of a run that something else stands for, so that starting it twice finds it: a time, then 80 bits of a hash
 * of what it stands for.
 *
 * @param hash at least 20 hexadecimal digits
 */
export function makeRunIdAt(instantMs: number, hash: string): string {
  return `run_${instantMs.toString(16).padStart(12, '0')}${hash.slice(0, 20)}`;
}

/** Milliseconds since the epoch at which an id was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(id.indexOf('_') + 1, id.indexOf('_') + 13), 16);
}
