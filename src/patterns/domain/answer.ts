/**
 * Reading what agents answer: expressions that make one form of many.
 *
 * Agents answer objects, models text. Decided here: where the text or the object of an answer is, and which of some
 * names an answer means. Decided elsewhere: what a pattern makes of it (*.pattern.ts).
 */

/** A text as a literal of CEL. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A list of texts as a literal of CEL. */
export function quotedList(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(', ')}]`;
}

/** In Liquid: the text of an answer, or the answer itself where it has none. */
export function textIn(path: string): string {
  return `{{ ${path}.text | default: ${path} }}`;
}

/** In CEL: the text of an answer, or the answer itself where it has none. */
export function answerOf(path: string): string {
  return `(type(${path}) == map && "text" in ${path} ? ${path}.text : ${path})`;
}

/** In CEL: the object of an answer; `{ text }` where it is text. */
export function objectOf(path: string): string {
  return `(type(${path}) != map ? {"text": ${path}} : ` + `"object" in ${path} ? ${path}.object : ${path})`;
}

/** In CEL: the text of what `objectOf` made, without marks of bold words; empty where there is none. */
export function plainOf(path: string): string {
  return `"text" in ${path} ? string(${path}.text).split("**").join("") : ""`;
}

/**
 * In CEL: the lines of a text that a model wrote, without marks of lists.
 *
 * A step of its own, as `plainOf` is: what an expression may cost is bounded by what its parts could come to, and
 * only what a step has put out is known to be small.
 */
export function linesOf(path: string): string {
  return `${path}.split("\\n").map(l, l.trim()).map(l, l.startsWith("- ") ? l.substring(2).trim() : l)`;
}

/** How freely a name is looked for in an answer: alone, or as the only one that is mentioned. */
export type Freedom = 'alone' | 'mentioned';

/**
 * In CEL: the one of some names that an answer means, null when it means none.
 *
 * The answer is an object with the name as `pick`, or text that is the name, begins with it, or mentions it alone.
 */
export function pickOf(path: string, names: readonly string[], freedom: Freedom): string {
  const list = quotedList(names);
  const said = `cel.bind(o, ${objectOf(path)}, "pick" in o ? o.pick : "text" in o ? o.text : "")`;
  const word = 'w.split(" ")[0].split("\\n")[0].split(".")[0].split(",")[0].split(":")[0]';
  const mentioned =
    freedom === 'mentioned'
      ? `cel.bind(m, ${list}.filter(n, w.contains(n.lowerAscii())), size(m) == 1 ? dyn(m[0]) : dyn(null))`
      : 'dyn(null)';
  return (
    `cel.bind(w, string(${said}).trim().lowerAscii(), ` +
    `cel.bind(e, ${list}.filter(n, n.lowerAscii() == w), ` +
    `cel.bind(f, ${list}.filter(n, n.lowerAscii() == ${word}), ` +
    `size(e) == 1 ? dyn(e[0]) : size(f) == 1 ? dyn(f[0]) : ${mentioned})))`
  );
}

/** In CEL: the branch that ran, `{ <name>, output }`; nulls when none did. */
export function ranOf(as: string, steps: readonly { readonly name: string; readonly id: string }[]): string {
  const list = steps
    .map(
      ({ name, id }) =>
        `{"name": ${quoted(name)}, "status": steps[${quoted(id)}].status, "output": steps[${quoted(id)}].output}`,
    )
    .join(', ');
  return (
    `cel.bind(r, [${list}].filter(b, b.status == "completed"), ` +
    `{${quoted(as)}: size(r) > 0 ? r[0].name : null, "output": size(r) > 0 ? r[0].output : null})`
  );
}
