import { AppError, type Issue } from '../kernel/failure.js';
import { fail, ok } from '../kernel/result.js';
import { referencesIn } from './domain/definition-references.js';
import type { WorkflowDefinition } from './domain/definition.schema.js';
import { workflowErrors } from './domain/workflow.errors.js';
import { NestedWorkflows } from './nested-workflows.js';
import type { FoundWorkflow } from './workflow-source.js';

/** Workflows by name, each with the names of those that it runs; `bad` has a problem. */
function nested(
  runs: (name: string) => readonly string[],
  body: object = {},
): {
  readonly workflows: NestedWorkflows;
  readonly checked: string[];
} {
  const checked: string[] = [];
  const workflows = new NestedWorkflows({
    find: ({ target }) => {
      if (target === 'gone') return Promise.reject(AppError.of(workflowErrors['workflow.not-found'], 'gone'));
      const found = { head: { id: `wf_${target}`, name: target }, version: 1, content: { body } };
      return Promise.resolve(found as unknown as FoundWorkflow);
    },
    check: async ({ head: { id, name }, version }, self) => {
      checked.push(name);
      const issues: Issue[] = name === 'bad' ? [{ pointer: '/steps/0', code: 'x.y', message: 'broken' }] : [];
      for (const reference of referencesTo(runs(name))) {
        const pin = await self.pin(reference);
        if (!pin.ok) issues.push(pin.failure);
      }
      const definition = { name, steps: [] } as unknown as WorkflowDefinition;
      const pinned = { id, version, definition, agents: {}, templates: {}, workflows: {} };
      return issues.length > 0 ? fail(issues) : ok(pinned);
    },
  });
  return { workflows, checked };
}

const referencesTo = (names: readonly string[]): ReturnType<typeof referencesIn> =>
  referencesIn({ steps: names.map((name) => ({ id: 'x', workflow: { name } })) });

async function problemOf(workflows: NestedWorkflows, name: string): Promise<Issue | undefined> {
  const [reference] = referencesTo([name]);
  const pin = reference && (await workflows.pin(reference));
  return pin?.ok === false ? pin.failure : undefined;
}

it('checks each version once, however often it is referred to', async () => {
  const { workflows, checked } = nested((name) => (name === 'leaf' ? [] : ['leaf', 'leaf']));

  expect(await problemOf(workflows, 'a')).toBeUndefined();
  expect(await problemOf(workflows, 'b')).toBeUndefined();
  expect(checked.toSorted()).toEqual(['a', 'b', 'leaf']);
  expect(Object.keys(workflows.pinned).toSorted()).toEqual(['wf_a@1', 'wf_b@1', 'wf_leaf@1']);
});

it('comes to an end where workflows run each other', async () => {
  const { workflows, checked } = nested((name) => (name === 'a' ? ['b'] : ['a', 'b']));

  expect(await problemOf(workflows, 'a')).toBeUndefined();
  expect(checked.toSorted()).toEqual(['a', 'b']);
});

it('tells what is wrong further in where it is referred to', async () => {
  const { workflows } = nested((name) => (name === 'a' ? ['bad', 'gone'] : []));

  expect(await problemOf(workflows, 'a')).toEqual({
    pointer: '/steps/0/workflow',
    code: 'definition.invalid',
    message: expect.stringMatching(
      /"a" version 1 can not run: "bad" version 1 .* broken .* and 1 more\)/,
    ) as unknown,
  });
});

it('refuses more text than can be kept with each run', async () => {
  const { workflows, checked } = nested((name) => (name === 'end' ? [] : [`${name}x`]), {
    description: 'x'.repeat(1_048_576),
  });

  expect(await problemOf(workflows, 'a')).toMatchObject({ code: 'definition.too-many-workflows' });
  expect(checked).toHaveLength(7);
});

it('refuses more than a hundred versions', async () => {
  const { workflows, checked } = nested((name) => (Number(name) < 500 ? [String(Number(name) + 1)] : []));

  expect(await problemOf(workflows, '1')).toMatchObject({ code: 'definition.too-many-workflows' });
  expect(checked).toHaveLength(100);
});
