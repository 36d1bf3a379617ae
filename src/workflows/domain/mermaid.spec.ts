import { graphOf } from '../../../test/support/simulated-run.js';
import { diagramOf, type DiagramNode } from './diagram.js';
import { mermaidOf } from './mermaid.js';

const definition = {
  steps: [
    { id: 'parts', agent: 'claude', forEach: { items: '[1, 2]' }, catch: 'mend' },
    { id: 'mend', agent: 'echo' },
    {
      id: 'polish',
      kind: 'loop',
      dependsOn: ['parts'],
      repeat: {
        maxIterations: 3,
        body: {
          steps: [
            { id: 'write', agent: 'claude' },
            { id: 'check', kind: 'transform', expression: 'steps.write.output' },
          ],
        },
      },
    },
    { id: 'tidy', agent: 'echo', finally: true },
  ],
};

it('draws every step, those of bodies within their loop, and what waits for what', () => {
  expect(diagramOf(graphOf(definition))).toEqual({
    nodes: [
      { id: 'parts', kind: 'agent', agent: 'claude', layers: ['items'] },
      { id: 'mend', kind: 'agent', agent: 'echo' },
      { id: 'polish', kind: 'loop', layers: ['iterations'] },
      { id: 'polish/write', kind: 'agent', agent: 'claude', parent: 'polish' },
      { id: 'polish/check', kind: 'transform', parent: 'polish' },
      { id: 'tidy', kind: 'agent', agent: 'echo', finally: true },
    ],
    edges: [
      { from: 'parts', to: 'mend', kind: 'catch' },
      { from: 'parts', to: 'polish', kind: 'after' },
      { from: 'polish/write', to: 'polish/check', kind: 'after' },
    ],
  });
});

it('is a flowchart', () => {
  const text = mermaidOf(diagramOf(graphOf(definition)), {
    look: ({ id }) => (id === 'mend' ? { note: 'skipped', style: 'skipped' } : {}),
    styles: { skipped: 'fill:#eee' },
  });

  expect(text).toBe(`flowchart TD
  n0["parts<br/>agent claude<br/>for each item"]
  n1["mend<br/>agent echo<br/>skipped"]
  class n1 skipped
  subgraph n2["polish<br/>loop<br/>repeated"]
    n3["write<br/>agent claude"]
    n4["check<br/>transform"]
  end
  n5["tidy<br/>agent echo"]
  n0 -. on failure .-> n1
  n0 --> n2
  n3 --> n4
  classDef skipped fill:#eee
`);
});

it.each([
  ['"] --> x["', '#34;#93; --#62; x#91;#34;'],
  ['<script>alert(1)</script>', '#60;script#62;alert#40;1#41;#60;#47;script#62;'],
  ['a\nend\nclick n0 "javascript:x"', 'a#10;end#10;click n0 #34;javascript:x#34;'],
  ['#quot; %% ` {{ }}', '#35;quot#59; #37;#37; #96; #123;#123; #125;#125;'],
  ['ключ 鍵 😀', 'ключ 鍵 #128512;'],
])('lets nothing that a caller chose be syntax: %j', (agent, written) => {
  const node: DiagramNode = { id: 'a', kind: 'agent', agent };
  const [, line = ''] = mermaidOf({ nodes: [node], edges: [] }).split('\n');

  expect(line).toBe(`  n0["a<br/>agent ${written}"]`);
});
