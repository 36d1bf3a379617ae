import { v7 } from 'uuid';

import { makeId, type IdPrefix } from '../../kernel/ids.js';

/** Fresh ids, sorted by time within one process. */
export abstract class IdSource {
  abstract next(prefix: IdPrefix): string;
}

/** Ids from UUID version 7 (RFC 9562 §5.7). */
export class UuidSource extends IdSource {
  override next(prefix: IdPrefix): string {
    return makeId(prefix, v7());
  }
}
