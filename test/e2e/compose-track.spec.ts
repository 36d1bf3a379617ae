/** The example of a track: its definition compiles, its sections are valid music, and the mix is all of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { pitchOfName } from '../../src/agents/providers/strudel/score.js';
import { StrudelEvaluator } from '../../src/agents/providers/strudel/strudel-evaluator.js';
import { StrudelProvider } from '../../src/agents/providers/strudel/strudel.provider.js';
import type { PatternEvent } from '../../src/agents/providers/strudel/strudel.schema.js';
import { evaluateValue } from '../../src/expressions/value.js';
import type { JsonObject } from '../../src/kernel/json.js';
import { projectRoot } from '../../src/platform/lifecycle/worker-entry.js';
import { compileDefinition } from '../../src/workflows/domain/compile-definition.js';
import { EVALUATOR_FILES, invokeProvider } from '../support/strudel.js';

const example = JSON.parse(readFileSync(join(projectRoot(), 'docs/examples/compose-track.json'), 'utf8')) as {
  readonly definition: JsonObject;
  readonly input: JsonObject;
};
const evaluator = new StrudelEvaluator(EVALUATOR_FILES);
const provider = new StrudelProvider(evaluator);

interface Output extends JsonObject {
  readonly events: readonly (PatternEvent & JsonObject)[];
}

/** Eighths of a bar from the start, and pitch classes from C. */
interface Note {
  readonly eighth: number;
  readonly chroma: number;
}

const A_MINOR = [9, 11, 0, 2, 4, 5, 7];
const CHORDS = [
  [9, 0, 4],
  [5, 9, 0],
  [0, 4, 7],
  [7, 11, 2],
];

afterAll(() => evaluator.stop());

/** The output of a step whose input is rendered as the engine does it. */
async function runStep(id: string): Promise<Output> {
  const compiled = compileDefinition(example.definition, { maxSteps: 50 });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.failure));
  const step = compiled.value.graph.steps.find((candidate) => candidate.id === id);
  if (step === undefined) throw new Error(`There is no step ${id}`);
  if (step.work.kind !== 'agent') throw new Error(`${id} calls no agent`);
  const input = evaluateValue(step.work.input, { input: example.input });
  if (!input.ok) throw new Error(input.failure.message);
  const outcome = await invokeProvider(provider, input.value, { timeLimitMs: 25_000 });
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
  return outcome.output as Output;
}

function notesOf({ events }: Output): readonly Note[] {
  return events.map(({ begin, value }) => {
    const { note } = value as { readonly note: string };
    return { eighth: begin * 8, chroma: (pitchOfName(note) ?? NaN) % 12 };
  });
}

function chordAt({ eighth }: Note): readonly number[] {
  return CHORDS[Math.floor(eighth / 8)] ?? [];
}

describe('docs/examples/compose-track.json', () => {
  it('runs drums, bass, chords and lead side by side, then the mix', () => {
    const compiled = compileDefinition(example.definition, { maxSteps: 50 });

    expect(
      compiled.ok && compiled.value.graph.steps.map(({ id, dependencies }) => [id, dependencies]),
    ).toEqual([
      ['drums', []],
      ['bass', []],
      ['chords', []],
      ['lead', []],
      ['mix', [0, 1, 2, 3]],
    ]);
  });

  it('says that it is not valid, without a note, when a section is wrong and the mix is skipped', () => {
    const compiled = compileDefinition(example.definition, { maxSteps: 50 });
    const output = compiled.ok ? compiled.value.graph.output : undefined;

    expect(output && evaluateValue(output, { steps: { mix: { output: null } } })).toEqual({
      ok: true,
      value: { valid: false, notes: 0 },
    });
  });

  it.each([
    ['drums', 55],
    ['bass', 16],
    ['chords', 57],
    ['lead', 21],
    ['mix', 149],
  ])('has valid %s of %i events in four bars', async (id, count) => {
    const output = await runStep(id);

    expect(output).toMatchObject({ valid: true, errors: [], cycles: 4 });
    expect(output.events).toHaveLength(count);
  });

  it('has a bass on the roots and chords of their own notes', async () => {
    const bass = notesOf(await runStep('bass'));
    const chords = notesOf(await runStep('chords'));

    expect(bass.filter((note) => note.chroma !== chordAt(note)[0])).toEqual([]);
    expect(chords.filter((note) => !chordAt(note).includes(note.chroma))).toEqual([]);
  });

  it('has a lead in the key, on notes of the chord wherever a half bar begins', async () => {
    const lead = notesOf(await runStep('lead'));
    const strong = lead.filter(({ eighth }) => eighth % 4 === 0);

    expect(lead.filter(({ chroma }) => !A_MINOR.includes(chroma))).toEqual([]);
    expect(strong).toHaveLength(8);
    expect(strong.filter((note) => !chordAt(note).includes(note.chroma))).toEqual([]);
  });
});
