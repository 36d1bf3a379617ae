/** Chance in fault runs follows from a seed, which is printed: FAULT_SEED plays the same choices again. */
import { SeededRandom } from '../simulation/seeded-random.js';

const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000);

/** A source of its own for each purpose. */
export function seededRandom(purpose: number): SeededRandom {
  return new SeededRandom(SEED * 100 + purpose);
}

/** Says on standard error which seed it is. */
export function tellSeed(): void {
  process.stderr.write(`FAULT_SEED=${SEED}\n`);
}
