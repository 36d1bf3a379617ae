/**
 * What was said after the input, folded from the recorded turns: the conversation goes on where an attempt that was
 * killed left it, and nothing that has an answer is asked again.
 */
import type { Turn } from '../../agent.provider.js';
import type { ToolCall } from '../../domain/tool-call.js';
import type { ChatMessage, LlmToolCall } from './message.js';
import { answerIn, type LlmAnswer } from './turn.js';

/** A tool call without outcome; `key` is the same in every attempt. */
export interface PendingCall extends LlmToolCall {
  readonly key: string;
  /** Its place in the answer, from 1. */
  readonly position: number;
}

export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Answers of the model that were of use. */
  readonly turns: number;
  /** Answers that were sent back. */
  readonly repairs: number;
  /** Calls of the last answer that have no outcome yet. */
  readonly pending: readonly PendingCall[];
  /** The answer that ends the conversation. */
  readonly answer: LlmAnswer | undefined;
}

/** An answer, and the outcomes of the tools that it calls. */
interface Exchange {
  readonly turn: number;
  readonly answer: LlmAnswer;
  readonly outcomes: readonly ToolCall[];
}

/** Folds recorded turns. Without tools of its own the agent hands tool calls on: such an answer is the last. */
export function conversationOf(turns: readonly Turn[], hasTools: boolean): Conversation {
  const exchanges = turns.reduce<readonly Exchange[]>(withTurn, []);
  const last = exchanges.at(-1);
  const useful = exchanges.filter(({ answer }) => answer.rejected === undefined);
  const isOver = last !== undefined && last.answer.rejected === undefined && !callsTools(last, hasTools);
  return {
    messages: exchanges.flatMap(messagesOf),
    turns: useful.length,
    repairs: exchanges.length - useful.length,
    pending: last !== undefined && callsTools(last, hasTools) ? pendingOf(last) : [],
    answer: isOver ? last.answer : undefined,
  };
}

function withTurn(exchanges: readonly Exchange[], { turn, body, tool }: Turn): readonly Exchange[] {
  const last = exchanges.at(-1);
  if (tool !== undefined) {
    return last === undefined
      ? exchanges
      : [...exchanges.slice(0, -1), { ...last, outcomes: [...last.outcomes, tool] }];
  }
  const answer = answerIn(body);
  if (answer === undefined) return exchanges;
  return answer.closed === true ? [] : [...exchanges, { turn, answer, outcomes: [] }];
}

function callsTools({ answer }: Exchange, hasTools: boolean): boolean {
  return hasTools && answer.toolCalls !== undefined;
}

function pendingOf({ turn, answer, outcomes }: Exchange): readonly PendingCall[] {
  const called = new Set(outcomes.map(({ callId }) => callId));
  return (answer.toolCalls ?? [])
    .map((call, index) => ({ ...call, position: index + 1, key: `${String(turn)}.${String(index + 1)}` }))
    .filter(({ id }) => !called.has(id));
}

/** Outcomes stand in the order of the calls, whichever tool was first to answer. */
function messagesOf({ answer, outcomes }: Exchange): readonly ChatMessage[] {
  const { text, toolCalls: calls, rejected } = answer;
  const said: readonly ChatMessage[] = text.trim() === '' ? [] : [{ role: 'assistant', content: text }];
  if (rejected !== undefined) return [...said, { role: 'user', content: rejected }];
  if (calls === undefined || outcomes.length === 0) return said;
  const inOrder = calls.flatMap(({ id }) => outcomes.filter(({ callId }) => callId === id));
  return [
    { role: 'calls', text, calls },
    { role: 'outcomes', outcomes: inOrder },
  ];
}
