/** How the sounds of Strudel map to General MIDI 1: drums to keys of the percussion channel, the rest to programs. */

/** Percussion key of a drum, in the order of a kit from its top to its bottom. */
const DRUMS: ReadonlyMap<string, number> = new Map([
  ['cr', 49],
  ['crash', 49],
  ['rd', 51],
  ['ride', 51],
  ['oh', 46],
  ['hh', 42],
  ['ch', 42],
  ['hat', 42],
  ['sh', 70],
  ['tb', 54],
  ['cb', 56],
  ['perc', 75],
  ['clave', 75],
  ['claves', 75],
  ['ht', 50],
  ['mt', 47],
  ['lt', 45],
  ['tom', 47],
  ['cp', 39],
  ['clap', 39],
  ['rim', 37],
  ['rs', 37],
  ['sd', 38],
  ['sn', 38],
  ['snare', 38],
  ['bd', 36],
  ['kick', 36],
]);

/** Programs from 0. */
const PROGRAMS: ReadonlyMap<string, number> = new Map([
  ['triangle', 80],
  ['tri', 80],
  ['square', 80],
  ['sqr', 80],
  ['pulse', 80],
  ['sine', 79],
  ['sin', 79],
  ['sawtooth', 81],
  ['saw', 81],
  ['supersaw', 90],
  ['piano', 0],
  ['gm_piano', 0],
  ['gm_epiano1', 4],
  ['gm_epiano2', 5],
  ['gm_music_box', 10],
  ['gm_vibraphone', 11],
  ['gm_marimba', 12],
  ['gm_xylophone', 13],
  ['gm_drawbar_organ', 16],
  ['gm_church_organ', 19],
  ['gm_acoustic_guitar_nylon', 24],
  ['gm_acoustic_guitar_steel', 25],
  ['gm_electric_guitar_clean', 27],
  ['gm_acoustic_bass', 32],
  ['gm_electric_bass_finger', 33],
  ['gm_electric_bass_pick', 34],
  ['gm_fretless_bass', 35],
  ['gm_synth_bass_1', 38],
  ['gm_synth_bass_2', 39],
  ['gm_violin', 40],
  ['gm_cello', 42],
  ['gm_string_ensemble_1', 48],
  ['gm_synth_strings_1', 50],
  ['gm_choir_aahs', 52],
  ['gm_voice_oohs', 53],
  ['gm_trumpet', 56],
  ['gm_brass_section', 61],
  ['gm_alto_sax', 65],
  ['gm_clarinet', 71],
  ['gm_flute', 73],
  ['gm_lead_1_square', 80],
  ['gm_lead_2_sawtooth', 81],
  ['gm_pad_new_age', 88],
  ['gm_pad_warm', 89],
  ['gm_pad_poly', 90],
]);

const SYNTHS = /^(?:z_.+|gm_.+|user|white|pink|brown)$/;

/** The percussion key of a drum, of a bank (`RolandTR909_bd`) too; undefined for what is no drum. */
export function drumKeyOf(sound: string): number | undefined {
  return DRUMS.get(drumName(sound));
}

/** Where a drum stands in its kit, from 0 at the top; what is no drum comes after all. */
export function kitPosition(sound: string): number {
  const position = [...DRUMS.keys()].indexOf(drumName(sound));
  return position === -1 ? DRUMS.size : position;
}

/** The program of a sound; of one that General MIDI lacks, a lead. */
export function programOf(sound: string): number {
  return PROGRAMS.get(sound) ?? 80;
}

/** Whether a sound without a note still has a pitch: a synthesizer or an instrument, not a recording. */
export function isInstrument(sound: string): boolean {
  return PROGRAMS.has(sound) || SYNTHS.test(sound);
}

function drumName(sound: string): string {
  return sound.slice(sound.lastIndexOf('_') + 1).toLowerCase();
}
