/** Speaking to the API about templates. */
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { TemplateDto } from '../../src/templates/dto/template.dto.js';
import type { RenderedTemplateDto } from '../../src/templates/dto/render-template.dto.js';
import type { Answer, Api } from './api.js';

let made = 0;

/** A name that no other template of this process has. */
export function aName(): string {
  made += 1;
  return `template-${String(made)}`;
}

/** A stored template; `content` or a whole body. */
export async function aTemplate(
  api: Api,
  given: string | Readonly<Record<string, unknown>>,
  name = aName(),
): Promise<TemplateDto> {
  const body = typeof given === 'string' ? { content: given } : given;
  const { status, body: template } = await api.post<TemplateDto>('/templates', { name, ...body });
  if (status !== 201) throw new Error(`no template was made: ${String(status)} ${JSON.stringify(template)}`);
  return template;
}

/** A rendering; fails when it is refused. */
export async function rendered(
  api: Api,
  reference: string,
  request: Readonly<Record<string, unknown>> = {},
): Promise<RenderedTemplateDto> {
  const { status, body } = await api.post<RenderedTemplateDto>(`/templates/${reference}/render`, request);
  if (status !== 200) throw new Error(`not rendered: ${String(status)} ${JSON.stringify(body)}`);
  return body;
}

/** Status, code and the first pointer of a refusal. */
export function refusalIn({ status, body }: Answer<unknown>): readonly [number, string, string | undefined] {
  const { code, issues } = body as ProblemDocument;
  return [status, code, issues?.[0]?.pointer];
}
