/** A place in the log across runs: transaction and position; transaction "0" where rows do not carry one. */
export interface LogPlace {
  readonly xid: string;
  readonly position: number;
}

export const LOG_START: LogPlace = { xid: '0', position: 0 };

/** The cursor of a follower that has read up to a place. */
export function cursorOf({ xid, position }: LogPlace): string {
  return `${xid}:${String(position)}`;
}

/** The place of a cursor; the beginning for one that is none. */
export function placeOf(cursor: string): LogPlace {
  const [, xid, position] = /^(\d+):(\d+)$/.exec(cursor) ?? [];
  return xid === undefined ? LOG_START : { xid, position: Number(position) };
}
