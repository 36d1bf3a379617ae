/**
 * What is unsafe about how a Redis is set up, from what `INFO memory persistence` says; one sentence each.
 *
 * Nothing is lost by either, because SQL is the record: streams and the queue are slower until all is rebuilt.
 */
export function redisWarnings(info: string): readonly string[] {
  const values = valuesOf(info);
  const [limit, policy, isLogged] = ['maxmemory', 'maxmemory_policy', 'aof_enabled'].map((name) =>
    values.get(name),
  );
  const mayEvict = limit !== undefined && limit !== '0' && policy !== undefined && policy !== 'noeviction';
  return [
    ...(mayEvict ? [`Redis may evict keys (maxmemory-policy ${policy}): set it to noeviction`] : []),
    ...(isLogged === '0' ? ['Redis keeps no append-only file: set appendonly to yes'] : []),
  ];
}

/** Lines of `name:value`; others are headings. */
function valuesOf(info: string): ReadonlyMap<string, string> {
  const pairs = info.split(/\r?\n/).map((line) => /^([a-z_0-9]+):(.*)$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? '', pair[2] ?? '']])));
}
