/** What the examples of the API documents refer to; the templates exist on a fresh embedded start. */
import type { TemplateBody } from './domain/template.js';

export const EXAMPLE_TEMPLATE = 'tpl_00000000000070008000000000000001';
export const EXAMPLE_CHAT_TEMPLATE = 'tpl_00000000000070008000000000000002';
export const EXAMPLE_INCLUDED_TEMPLATE = 'tpl_00000000000070008000000000000003';
/** One to delete. */
export const EXAMPLE_OLD_TEMPLATE = 'tpl_00000000000070008000000000000004';

export const exampleContent =
  'Write a {{ tone }} greeting for {{ user.name }}.' +
  '{% if topics %} Mention {{ topics | join: ", " }}.{% endif %}\n{% render "signature" %}';

export const exampleVariables: TemplateBody['variables'] = [
  { name: 'user', type: 'object', description: 'Who is greeted.', schema: { required: ['name'] } },
  { name: 'tone', type: 'string', default: 'warm' },
  { name: 'topics', type: 'array', required: false },
];

export const exampleValues = { user: { name: 'Ada' }, topics: ['engines', 'poetry'] };

/** The templates, each with its versions in order. An included one stands before those that include it. */
export const exampleTemplates: readonly {
  readonly id: string;
  readonly name: string;
  readonly versions: readonly TemplateBody[];
}[] = [
  {
    id: EXAMPLE_INCLUDED_TEMPLATE,
    name: 'signature',
    versions: [{ kind: 'text', content: 'Sign it as Ensemble.', variables: [], tags: ['example'] }],
  },
  {
    id: EXAMPLE_TEMPLATE,
    name: 'greeting',
    versions: [
      {
        kind: 'text',
        content: 'Write a greeting for {{ user.name }}.',
        variables: exampleVariables,
        description: 'A greeting in a tone of your choice.',
        tags: ['example', 'letters'],
      },
      {
        kind: 'text',
        content: exampleContent,
        variables: exampleVariables,
        description: 'A greeting in a tone of your choice.',
        tags: ['example', 'letters'],
      },
    ],
  },
  {
    id: EXAMPLE_CHAT_TEMPLATE,
    name: 'support-chat',
    versions: [
      {
        kind: 'chat',
        messages: [
          { role: 'system', content: 'You help users of {{ product }}.' },
          { placeholder: 'history' },
          { role: 'user', content: '{{ question }}' },
        ],
        variables: [
          { name: 'product', type: 'string', default: 'Ensemble' },
          { name: 'history', type: 'messages', default: [] },
          { name: 'question', type: 'string' },
        ],
        tags: ['example'],
      },
    ],
  },
  {
    id: EXAMPLE_OLD_TEMPLATE,
    name: 'old-notice',
    versions: [{ kind: 'text', content: 'Nobody needs this any more.', variables: [], tags: ['example'] }],
  },
];
