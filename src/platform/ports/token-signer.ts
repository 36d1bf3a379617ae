/**
 * Signatures under what this service lets out of its hands and takes back later, such as the token of a link.
 *
 * Decided here: how a signature is come by. Decided elsewhere: the key (access/), what is signed and for how long.
 */
export abstract class TokenSigner {
  /**
   * The signature of a text: 43 characters of base64url, the same for the same purpose and text in every process of
   * the service. A signature for one purpose says nothing for another.
   *
   * @throws AppError `secret.not-configured` when there is no key
   */
  abstract sign(purpose: string, text: string): Promise<string>;
}
