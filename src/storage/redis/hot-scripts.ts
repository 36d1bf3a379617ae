/**
 * What Redis does at one moment for the hot store, in Lua.
 *
 * A value is `era:JSON`. A value of another era is none: a new era begins whenever a process may have failed to invalidate
 * something. Who finds no value marks the gap with a token, by which it may fill it; an invalidation takes the mark away,
 * and with it the chance to put back what was read before.
 */
import type { Redis } from 'ioredis';

/**
 * Finds a value, or marks its gap.
 *
 * KEYS: 1 value, 2 mark of its gap. ARGV: 1 era, 2 a token or '' for no mark, 3 how long the mark stays in milliseconds.
 * Returns { JSON, milliseconds left } or { false, token that fills the gap: its own or that of who came before }.
 */
const FIND = `
local found = redis.call('GET', KEYS[1])
local tag = ARGV[1] .. ':'
if found and string.sub(found, 1, #tag) == tag then
  return { string.sub(found, #tag + 1), redis.call('PTTL', KEYS[1]) }
end
if ARGV[2] == '' then return { false, '' } end
redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return { false, redis.call('GET', KEYS[2]) }`;

/**
 * Fills a marked gap.
 *
 * KEYS: 1 value, 2 mark. ARGV: 1 token, 2 era:JSON, 3 time to live in milliseconds. Returns 1, or 0 when the mark is
 * gone and nothing was kept.
 */
const FILL = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1`;

/** Forgets a value and the mark of its gap, and says so. KEYS: 1 value, 2 mark. ARGV: 1 channel, 2 note. Returns 1. */
const FORGET = `
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1`;

/**
 * The era of all values; a new one is told of. Later ones are larger.
 *
 * KEYS: 1 era. ARGV: 1 channel, 2 what notes of eras begin with, 3 'new' or 'any'. Returns the era
 * as text.
 */
const ERA = `
local old = redis.call('GET', KEYS[1])
if old and ARGV[3] == 'any' then return old end
local time = redis.call('TIME')
local next = time[1] * 1000000 + time[2]
if old and next <= tonumber(old) then next = tonumber(old) + 1 end
next = string.format('%.0f', next)
redis.call('SET', KEYS[1], next)
redis.call('PUBLISH', ARGV[1], ARGV[2] .. next)
return next`;

const SCRIPTS = {
  hotFind: { lua: FIND, numberOfKeys: 2 },
  hotFill: { lua: FILL, numberOfKeys: 2 },
  hotForget: { lua: FORGET, numberOfKeys: 2 },
  hotEra: { lua: ERA, numberOfKeys: 1 },
};

/** The scripts as commands, with keys and arguments in the order of their comments. */
export interface HotCommands {
  hotFind(
    ...args: readonly [valueKey: string, gapKey: string, era: string, token: string, gapMs: number]
  ): Promise<readonly [json: string, leftMs: number] | readonly [json: null, token: string]>;
  hotFill(
    ...args: readonly [valueKey: string, gapKey: string, token: string, value: string, ttlMs: number]
  ): Promise<0 | 1>;
  hotForget(...args: readonly [valueKey: string, gapKey: string, channel: string, note: string]): Promise<1>;
  hotEra(
    ...args: readonly [key: string, channel: string, prefix: string, which: 'new' | 'any']
  ): Promise<string>;
}

/** A connection that knows the scripts. */
export function withHotScripts(redis: Redis): Redis & HotCommands {
  for (const [name, script] of Object.entries(SCRIPTS)) redis.defineCommand(name, script);
  return redis as Redis & HotCommands;
}
