/** docs/events.md says of every event what src/runs/domain/run.events.ts declares: its name and its fields. */
import { readFileSync } from 'node:fs';

import ts from 'typescript';

type Fields = readonly string[];

const EVENTS = 'src/runs/domain/run.events.ts';
const declared = interfacesOf([
  EVENTS,
  'src/kernel/failure.ts',
  'src/agents/domain/tool-call.ts',
  'src/runs/domain/approval.ts',
  'src/runs/domain/kept.ts',
]);
const eventMap = [...(declared.get('RunEventMap')?.members ?? [])].filter((member) =>
  ts.isPropertySignature(member),
);
const sections = sectionsOf(readFileSync('docs/events.md', 'utf8'));

describe('docs/events.md', () => {
  it('has every event type and no other', () => {
    expect(eventMap.length).toBeGreaterThan(0);
    expect([...(sections.get('Events')?.keys() ?? [])].toSorted()).toEqual(eventMap.map(nameOf).toSorted());
  });

  it.each(eventMap.map((member) => [nameOf(member), member] as const))(
    'has the fields of %s',
    (name, { type }) => {
      if (type === undefined) throw new Error(`${name} has no type`);

      expect(sections.get('Events')?.get(name)?.toSorted()).toEqual(fieldsOf(type).toSorted());
    },
  );

  it('has the fields of the envelope', () => {
    expect(sections.get('Envelope')?.get('Envelope')).toEqual(fieldsOfInterface('RunEventOf'));
  });

  it.each([
    'Usage',
    'ToolCall',
    'ArtifactRef',
    'BlobReference',
    'RunManifest',
    'RunParent',
    'RunOptions',
    'Failure',
  ])('has the fields of %s', (name) => {
    expect(sections.get('Shapes')?.get(name)).toEqual(fieldsOfInterface(name));
  });
});

/** The interfaces of some files, by name. */
function interfacesOf(paths: readonly string[]): ReadonlyMap<string, ts.InterfaceDeclaration> {
  const files = paths.map((path) =>
    ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023),
  );
  const found = files.flatMap(({ statements }) =>
    statements.filter((statement) => ts.isInterfaceDeclaration(statement)),
  );
  return new Map(found.map((declaration) => [declaration.name.text, declaration]));
}

/** The fields of an object type of the events; a field that may be absent ends in `?`. */
function fieldsOf(type: ts.TypeNode): Fields {
  if (ts.isTypeLiteralNode(type)) return fieldsOfMembers(type.members);
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap(fieldsOf);
  if (ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName))
    return fieldsOfInterface(type.typeName.text);
  // `{ [key in never]: never }`: no fields.
  if (ts.isMappedTypeNode(type)) return [];
  throw new Error(`a type of events that this test can not read: ${ts.SyntaxKind[type.kind]}`);
}

function fieldsOfInterface(name: string): Fields {
  const declaration = declared.get(name);
  if (declaration === undefined) throw new Error(`there is no interface ${name}`);
  return fieldsOfMembers(declaration.members);
}

function fieldsOfMembers(members: readonly ts.TypeElement[]): Fields {
  return members
    .filter((member) => ts.isPropertySignature(member))
    .map((member) => `${nameOf(member)}${member.questionToken === undefined ? '' : '?'}`);
}

function nameOf({ name }: ts.PropertySignature): string {
  if (ts.isIdentifier(name) || ts.isStringLiteral(name)) return name.text;
  throw new Error(`a name that this test can not read: ${ts.SyntaxKind[name.kind]}`);
}

/** By heading of level 2, then by heading of level 3: the first cells of the tables below it. */
function sectionsOf(markdown: string): ReadonlyMap<string, ReadonlyMap<string, Fields>> {
  return new Map(
    markdown
      .split(/^## /m)
      .slice(1)
      .map((section) => {
        const parts = section.split(/^### /m).map((part) => [titleOf(part), firstCellsOf(part)] as const);
        return [titleOf(section), new Map(parts.filter(([, cells], index) => index > 0 || cells.length > 0))];
      }),
  );
}

function titleOf(section: string): string {
  return section.split('\n', 1)[0]?.replaceAll('`', '').trim() ?? '';
}

function firstCellsOf(part: string): Fields {
  return Array.from(part.matchAll(/^\| `([^`]+)` \|/gm), ([, cell = '']) => cell);
}
