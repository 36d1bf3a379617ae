import { redisWarnings } from './redis-warnings.js';

function info(limit: string, policy: string, isLogged: string): string {
  return `# Memory\r\nmaxmemory:${limit}\r\nmaxmemory_policy:${policy}\r\n\r\n# Persistence\r\naof_enabled:${isLogged}\r\n`;
}

it.each([
  ['nothing where nothing is evicted and all is logged', info('0', 'noeviction', '1'), []],
  ['nothing of a policy that no limit sets off', info('0', 'allkeys-lru', '1'), []],
  ['nothing where a limit refuses writes', info('1000000', 'noeviction', '1'), []],
  ['nothing of what it is not told', '', []],
  ['that keys may be evicted', info('1000000', 'volatile-lru', '1'), ['volatile-lru']],
  ['that nothing is logged', info('0', 'noeviction', '0'), ['append-only']],
  ['both', info('1', 'allkeys-random', '0'), ['allkeys-random', 'append-only']],
])('says %s', (_, text, expected) => {
  const warnings = redisWarnings(text);

  expect(warnings).toHaveLength(expected.length);
  for (const [index, part] of expected.entries()) expect(warnings[index]).toContain(part);
});
