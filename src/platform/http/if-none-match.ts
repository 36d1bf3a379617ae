/** `If-None-Match` (RFC 9110 §13.1.2): whether the client has the content of a tag already. Tags are compared weakly. */
export function hasContent(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((text) => text.trim().replace(/^W\//, '') === tag);
}
