/** Checkpoints hold the state as it is: where it comes to have other fields, they are of another version. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import ts from 'typescript';

import { FOLD_VERSION } from '../../src/runs/domain/fold-text.js';

const FILES = ['src/runs/domain/run.state.ts', 'src/runs/domain/unit.ts'];

/** By version: the fields of the state that it stands for. The last one is compared. */
const FIELDS_OF: { readonly [version: number]: string } = { 1: 'e0ccfca762f2', 2: '009c1dba1b36' };

it('the version of the fold is that of the fields of the state: raise FOLD_VERSION and enter what is told here', () => {
  expect({ [FOLD_VERSION]: fieldsHash() }).toEqual({ [FOLD_VERSION]: FIELDS_OF[FOLD_VERSION] });
});

function fieldsHash(): string {
  const fields = FILES.flatMap((path) =>
    ts
      .createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023)
      .statements.filter((statement) => ts.isInterfaceDeclaration(statement))
      .flatMap(({ name, members }) => members.map((member) => `${name.text}.${nameOf(member)}`)),
  );
  expect(fields).toContain('RunState.lastSeq');
  return createHash('sha256').update(fields.toSorted().join('\n')).digest('hex').slice(0, 12);
}

function nameOf({ name }: ts.TypeElement): string {
  return name !== undefined && ts.isIdentifier(name) ? name.text : '';
}
