/**
 * How a call that came out of this service is known when it comes back in.
 *
 * Every call through the egress carries a field of RFC 9110 §7.6.3 that nobody who chose the address can take away.
 */

/** What the egress says of itself. */
export const VIA = '1.1 ensemble-egress';

/** Whether a request was made through the egress: by an agent, in short, and not by a person. */
export function isThroughEgress(headers: { readonly via?: string | readonly string[] | undefined }): boolean {
  return [headers.via ?? []].flat().some((field) => field.includes('ensemble-egress'));
}
