/**
 * The values of secrets, for those who make a call with them.
 *
 * Decided here: how a value is come by. Decided elsewhere: where it is kept and how (access/). Whoever gets a value
 * keeps it no longer than the call, and takes it out of whatever it lets others see.
 */
export abstract class SecretSource {
  /**
   * The present value of a secret.
   *
   * @throws AppError `secret.not-found`, naming it; `secret.unreadable` when it was encrypted with another key;
   * `secret.not-configured` when there is no key
   */
  abstract get(namespace: string, name: string): Promise<string>;
}
