/**
 * Rendering a compiled prompt of 2 kB with 10 nested variables: ours beside LiquidJS alone, Handlebars and Mustache,
 * in turns in the same process, on the same text and values.
 *
 * LiquidJS alone is its plain engine with a parsed template. Ours does the same and checks declared variables, own
 * keys, limits and what is missing.
 */
import Handlebars from 'handlebars';
import { Liquid } from 'liquidjs';
import Mustache from 'mustache';

import { compileSource } from '../../dist/templates/domain/parse.js';
import { renderProgram } from '../../dist/templates/domain/render.js';
import { figure, median } from './report.mjs';

const ROUNDS = 15;
const ROUND_MS = 200;
const WARM_UP_MS = 500;

const NAMES = [
  'user',
  'task',
  'style',
  'project',
  'company',
  'product',
  'audience',
  'format',
  'history',
  'goal',
];
const prompt = promptOf(2_048);
const values = Object.fromEntries(
  NAMES.map((name) => [name, { detail: { text: `the ${name} of the day` } }]),
);

const engines = { ours: ours(), LiquidJS: liquidAlone(), Handlebars: handlebars(), Mustache: mustache() };
const texts = Object.entries(engines).map(([name, render]) => [name, render()]);
for (const [name, text] of texts) {
  if (text !== texts[0][1]) throw new Error(`${name} renders another text:\n${text}\n\n${texts[0][1]}`);
}

const rates = Object.fromEntries(Object.keys(engines).map((name) => [name, []]));
for (const render of Object.values(engines)) rateOf(render, WARM_UP_MS);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, render] of Object.entries(engines)) rates[name].push(rateOf(render, ROUND_MS));
}
for (const name of Object.keys(engines)) {
  figure(`renders of a compiled prompt of 2 kB, 10 nested variables: ${name}`, median(rates[name]), '/s');
}
const overheads = rates.ours.map((rate, round) => rates.LiquidJS[round] / rate);
figure('time of a render, beside LiquidJS alone', median(overheads), 'times', '<= 1.3');

function ours() {
  const variables = NAMES.map((name) => ({ name, type: 'object' }));
  const compiled = compileSource({ content: { kind: 'text', content: prompt, variables }, includes: {} });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.failure));
  return () => renderProgram(compiled.value, values, () => []).value.text;
}

function liquidAlone() {
  const engine = new Liquid();
  const template = engine.parse(prompt);
  return () => engine.renderSync(template, values);
}

function handlebars() {
  const render = Handlebars.compile(prompt, { noEscape: true });
  return () => render(values);
}

function mustache() {
  const writer = new Mustache.Writer();
  const plain = { escape: String };
  writer.parse(prompt);
  return () => writer.render(prompt, values, undefined, plain);
}

/** Renders a second. */
function rateOf(render, forMs) {
  const start = performance.now();
  let count = 0;
  let now = start;
  while (now - start < forMs) {
    for (let times = 0; times < 50; times += 1) render();
    count += 50;
    now = performance.now();
  }
  return (count / (now - start)) * 1_000;
}

/** Prose of that many characters with each variable once, evenly spread. */
function promptOf(length) {
  const prose = 'Write it plainly, keep to what is known, and say so when you do not know something. ';
  const each = Math.floor(length / NAMES.length);
  return NAMES.map((name) => {
    const variable = `{{ ${name}.detail.text }}`;
    return variable + prose.repeat(10).slice(0, each - variable.length);
  }).join('');
}
