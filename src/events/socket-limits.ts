/** Bounds on what one socket may ask for and hold. */
export class SocketLimits {
  /** Sockets of one process. */
  readonly maxSockets: number = 10_000;
  /** Runs that one socket follows at once. */
  readonly maxSubscriptions: number = 100;
  /** Bytes that wait for one client before nothing more is read for it. */
  readonly maxQueuedBytes: number = 262_144;
  /** Bytes that are handed to the network at once. A single larger event goes alone. */
  readonly maxBatchBytes: number = 65_536;
  /** How long a client may take nothing of what was handed to the network, beside the time that its size allows. */
  readonly stallMs: number = 10_000;
  /** The slowest client that is still served. */
  readonly minBytesPerSecond: number = 16_384;
  /** How long a client that is cut off may take the rest, in which the reason stands. */
  readonly lingerMs: number = 10_000;
  readonly commandsPerSecond: number = 50;
  /** Commands at once after a silence. */
  readonly commandBurst: number = 100;
  /** Commands of one socket that are carried out at once. */
  readonly maxOpenCommands: number = 8;
  /** How often clients that take nothing are looked for. */
  readonly stallCheckMs: number = 1_000;
  /** How often keys are checked again for expiry and revocation. */
  readonly accessCheckMs: number = 5_000;
  /** The least time between two `run.progress` of one subscription. */
  readonly progressMs: number = 200;
}
