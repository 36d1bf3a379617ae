/** `npm run keys`: makes, lists and revokes API keys in the store that the configuration names. */
import { carryOut, complain } from './command.js';
import { AuthModule } from './platform/auth/auth.module.js';
import { parseKeyCommand, runKeyCommand, USAGE } from './platform/auth/key-command.js';
import { KeyService } from './platform/auth/key.service.js';
import { Clock } from './platform/clock/clock.js';

const EXIT_USAGE = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const command = parseKeyCommand(args);
  if (!command.ok) return complain(`${command.failure}\n\n${USAGE}`, EXIT_USAGE);
  return await carryOut({
    imports: [AuthModule],
    run: (context) => runKeyCommand(command.value, context.get(KeyService), context.get(Clock).now()),
    whenLocked:
      'Stop it and try again, or start it with ADMIN_KEY set to a key of your choice: that key then works.',
  });
}
