/**
 * How many tokens a text has, roughly.
 *
 * Decided here: the estimate and its name. It is no tokeniser of any model: good for English prose within some 20 %,
 * too low for other scripts and for code.
 */
export interface TokenEstimate {
  readonly tokens: number;
  /** How it was made. */
  readonly estimator: 'chars-div-4';
}

/** A quarter of the characters of all texts together, rounded up. Characters are UTF-16 units. */
export function estimateTokens(texts: readonly string[]): TokenEstimate {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return { tokens: Math.ceil(characters / 4), estimator: 'chars-div-4' };
}
