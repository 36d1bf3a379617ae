/** What a call has consumed where its endpoint does not tell: better a rough count than none, for budgets. */
import type { AgentUsage } from '../../domain/usage.js';
import type { CallResult, LlmCall } from './call.js';

/** Characters of a token, on the low side for most languages. */
const CHARACTERS_PER_TOKEN = 4;

/** The usage of a finished call, and whether it had to be estimated. */
export function usageOfCall(
  call: LlmCall,
  { usage = {}, text, toolCalls }: CallResult,
): { readonly usage: AgentUsage; readonly isEstimate: boolean } {
  if (usage.inputTokens !== undefined || usage.outputTokens !== undefined)
    return { usage, isEstimate: false };
  const sent = [call.system ?? '', call.messages, call.tools, call.objectSchema ?? ''];
  const got = toolCalls.length > 0 ? [text, toolCalls] : [text];
  return { usage: { inputTokens: tokensOf(sent), outputTokens: tokensOf(got) }, isEstimate: true };
}

function tokensOf(parts: readonly unknown[]): number {
  const characters = parts.reduce<number>((sum, part) => sum + lengthOf(part), 0);
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

function lengthOf(part: unknown): number {
  return typeof part === 'string' ? part.length : JSON.stringify(part).length;
}
