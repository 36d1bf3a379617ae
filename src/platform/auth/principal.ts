import type { Role } from '../ports/key.store.js';

/** Who asks. The namespace comes from the key alone, never from a path or a query. */
export interface Principal {
  readonly namespace: string;
  /** Absent while the service is open, because nobody has a key. */
  readonly keyId?: string;
  readonly role: Role;
  /** Keys of the agents whose tasks a worker's key may poll and answer; such a key opens nothing else. */
  readonly agents?: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent on public routes only. */
    principal?: Principal;
  }
}

/** Everyone on this machine, while no key exists. */
export const OPEN_PRINCIPAL: Principal = Object.freeze({ namespace: 'default', role: 'admin' });
