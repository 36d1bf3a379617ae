/** The settings of a `worker` agent: how long a silent worker is believed, and how often its work is handed out. */
import { z } from 'zod';

export const workerSettingsSchema = z.strictObject({
  heartbeatTimeoutMs: z
    .int('Expected milliseconds from 100 to 86400000')
    .min(100, 'Expected milliseconds from 100 to 86400000')
    .max(86_400_000, 'Expected milliseconds from 100 to 86400000')
    .default(60_000)
    .describe('How long a lease holds without a heartbeat or an answer of the worker, in milliseconds.'),
  maxDeliveries: z
    .int('Expected a whole number from 1 to 100')
    .min(1, 'Expected a whole number from 1 to 100')
    .max(100, 'Expected a whole number from 1 to 100')
    .default(3)
    .describe('How many workers get a task before it fails because all of them fell silent.'),
});
