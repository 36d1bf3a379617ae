/** What a request says about a template, as the domain has it. */
import { AppError, type Issue } from '../../kernel/failure.js';
import { templateErrors } from '../domain/template.errors.js';
import {
  type TemplateBody,
  type TemplateContent,
  type TemplateMessage,
  type TemplateText,
  type VariableDeclaration,
} from '../domain/template.js';
import type { TemplateContentDto, TemplateMessageDto } from './template-content.dto.js';

/** A content that stands by itself. @throws AppError `template.invalid` */
export function contentOf(dto: TemplateContentDto): TemplateContent {
  return { ...(textIn(dto) ?? refuseText()), variables: variablesIn(dto) ?? [] };
}

/** The body of a new template. @throws AppError `template.invalid` */
export function bodyOf(
  dto: TemplateContentDto & { readonly description?: string; readonly tags?: string[] },
): TemplateBody {
  const { description, tags = [] } = dto;
  return { ...contentOf(dto), ...(description !== undefined && { description }), tags: [...new Set(tags)] };
}

/** The body of the next version: what a request leaves out stays as it is. @throws AppError `template.invalid` */
export function nextBodyOf(
  dto: TemplateContentDto & { readonly description?: string; readonly tags?: string[] },
  latest: TemplateBody,
): TemplateBody {
  const text = textIn(dto) ?? textOf(latest);
  const description = dto.description ?? latest.description;
  return {
    ...text,
    variables: variablesIn(dto) ?? latest.variables,
    ...(description !== undefined && { description }),
    tags: dto.tags === undefined ? latest.tags : [...new Set(dto.tags)],
  };
}

function textOf(body: TemplateBody): TemplateText {
  return body.kind === 'text'
    ? { kind: 'text', content: body.content }
    : { kind: 'chat', messages: body.messages };
}

/** The text of a request; undefined when it has none. */
function textIn({ kind, content, messages }: TemplateContentDto): TemplateText | undefined {
  if (content !== undefined && messages !== undefined) {
    refuse([issueAt('/messages', 'give content or messages, not both')]);
  }
  const given = content === undefined ? (messages === undefined ? undefined : 'chat') : 'text';
  if (kind !== undefined && kind !== given) {
    refuse([issueAt('/kind', `a ${kind} template has ${kind === 'text' ? 'content' : 'messages'}`)]);
  }
  if (content !== undefined) return { kind: 'text', content };
  return messages && { kind: 'chat', messages: messagesOf(messages) };
}

function messagesOf(messages: readonly TemplateMessageDto[]): readonly TemplateMessage[] {
  const issues: Issue[] = [];
  const found = messages.flatMap((message, index): readonly TemplateMessage[] => {
    const { role, content, placeholder } = message;
    if (placeholder === undefined && role !== undefined && content !== undefined) return [{ role, content }];
    if (placeholder !== undefined && role === undefined && content === undefined) return [{ placeholder }];
    issues.push(issueAt(`/messages/${String(index)}`, 'expected role and content, or placeholder alone'));
    return [];
  });
  if (issues.length > 0) refuse(issues);
  return found;
}

function variablesIn({ variables }: TemplateContentDto): readonly VariableDeclaration[] | undefined {
  return variables?.map((variable) => {
    const given = Object.entries(variable).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given) as unknown as VariableDeclaration;
  });
}

function refuseText(): never {
  return refuse([issueAt('/content', 'content or messages are required')]);
}

function refuse(issues: readonly Issue[]): never {
  throw AppError.of(templateErrors['template.invalid'], issues[0]?.message ?? '', { issues });
}

function issueAt(pointer: string, message: string): Issue {
  return { pointer, code: templateErrors['template.invalid'].code, message };
}
