/**
 * What the demo shows of a run: one line for each step, a bar, and plain lines where nothing can be redrawn.
 *
 * Pure: a board and an event make the next board, a board makes lines. Durations come from the events' own times.
 */

const BAR_WIDTH = 30;
const SIGNS = {
  pending: ['·', 'dim'],
  running: ['▸', 'cyan'],
  retrying: ['↻', 'yellow'],
  interrupted: ['!', 'yellow'],
  completed: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['–', 'dim'],
  cancelled: ['–', 'dim'],
};
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const SETTLED = ['completed', 'failed', 'skipped', 'cancelled'];

/** A board of steps that have not begun. */
export function createBoard(steps) {
  return {
    events: 0,
    interrupted: 0,
    steps: steps.map(({ id, agent }) => ({ id, agent, status: 'pending', note: '' })),
  };
}

/** The board after an event. */
export function applyEvent(board, event) {
  const change = changeOf(event);
  return {
    events: board.events + 1,
    interrupted: board.interrupted + (event.type === 'step.interrupted' ? 1 : 0),
    steps: board.steps.map((step) =>
      step.id === event.stepId && change ? { ...step, ...change(step) } : step,
    ),
  };
}

/** How many steps have ended, however. */
export function settledCount({ steps }) {
  return steps.filter(({ status }) => SETTLED.includes(status)).length;
}

/**
 * The board as lines, none longer than `columns`.
 *
 * @param now milliseconds since the epoch, for what is under way
 * @param paint colours a text: `painter(true)` or `painter(false)`
 */
export function renderBoard(board, { now, startedAt, columns, paint }) {
  const idWidth = Math.max(...board.steps.map(({ id }) => id.length));
  const agentWidth = Math.max(...board.steps.map(({ agent }) => agent.length));
  const lines = board.steps.map((step) => {
    const [sign, colour] = SIGNS[step.status];
    const time = timeOf(step, now);
    const left = `  ${sign} ${step.id.padEnd(idWidth)}  ${step.agent.padEnd(agentWidth)}  `;
    const room = Math.max(0, columns - left.length - time.length - 2);
    const note = fit(step.note === '' ? step.status : step.note, room);
    return paint(colour, left) + note.padEnd(Math.min(room, 44)) + paint('dim', time);
  });
  return [...lines, '', barLine(board, { now, startedAt, columns, paint })];
}

/** One line for what an event changes; undefined where it changes no step. */
export function lineOf(board, { stepId }) {
  const step = board.steps.find(({ id }) => id === stepId);
  if (step === undefined) return undefined;
  const count = `[${settledCount(board)}/${board.steps.length}]`;
  const note = step.note === '' ? '' : `: ${oneLine(step.note)}`;
  return `${count} ${step.id} ${step.status}${note}`;
}

/** Colours texts, or leaves them as they are. */
export function painter(hasColours) {
  return (name, text) => (hasColours ? `\x1b[${CODES[name]}m${text}\x1b[0m` : text);
}

/** Seconds with one decimal. */
export function seconds(ms) {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}

function changeOf({ type, at, attempt, data }) {
  const time = Date.parse(at);
  switch (type) {
    case 'step.started':
      return ({ startedAt = time }) => ({
        status: 'running',
        startedAt,
        note: attempt > 1 ? `attempt ${attempt}` : '',
      });
    case 'step.completed':
      return () => ({ status: 'completed', endedAt: time, note: noteOf(data) });
    case 'step.failed':
      return () => ({ status: 'failed', endedAt: time, note: data.failure.message });
    case 'step.retrying':
      return () => ({
        status: 'retrying',
        note: `again in ${seconds(data.delayMs)}: ${data.failure.message}`,
      });
    case 'step.interrupted':
      return () => ({ status: 'interrupted', note: 'its process was killed; it starts again' });
    case 'step.skipped':
      return () => ({ status: 'skipped', endedAt: time, note: data.reason });
    case 'step.cancelled':
      return () => ({ status: 'cancelled', endedAt: time, note: data.reason });
    default:
      return undefined;
  }
}

/** What a step has made, in a few words. */
function noteOf({ output, outputRef }) {
  if (outputRef !== undefined) return `${Math.ceil(outputRef.bytes / 1024)} KiB of notes and beats`;
  if (output?.valid === false) return `not valid: ${output.errors?.[0]?.message ?? 'no reason'}`;
  if (Array.isArray(output?.events)) return `${output.events.length} notes and beats, valid`;
  return typeof output?.text === 'string' ? `${output.text.split('\n').length} lines written` : '';
}

function timeOf({ startedAt, endedAt }, now) {
  return startedAt === undefined ? '' : seconds((endedAt ?? now) - startedAt).padStart(8);
}

function barLine(board, { now, startedAt, columns, paint }) {
  const done = settledCount(board);
  const total = board.steps.length;
  const filled = Math.round((BAR_WIDTH * done) / total);
  const told = `  ${done}/${total} steps · ${board.events} events · ${seconds(now - startedAt)}`;
  const bar = paint('green', '█'.repeat(filled)) + paint('dim', '░'.repeat(BAR_WIDTH - filled));
  return columns < BAR_WIDTH + 2 + told.length ? fit(told, columns) : `  ${bar}${told}`;
}

/** A text cut to a width. */
function fit(text, width) {
  const line = oneLine(text);
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ');
}
