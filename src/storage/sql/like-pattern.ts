/** The pattern of a text that has another one anywhere; its escape is a backslash. */
export function likeAnywhere(part: string): string {
  return `%${part.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

/** As `lower` of both engines, on columns of ours: no other letters change. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
