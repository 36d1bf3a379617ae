/** Where the demo shows its board: redrawn in place on a terminal, line by line elsewhere. */
import { painter, renderBoard } from './demo-board.mjs';

const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;

export class Screen {
  #output;
  #board;
  #startedAt;
  #drawn = 0;
  #timer;

  constructor(output = process.stdout) {
    this.#output = output;
    this.paint = painter(this.isTerminal && !process.env.NO_COLOR);
  }

  get isTerminal() {
    return this.#output.isTTY === true;
  }

  /** Prints a line above the board. */
  say(line = '') {
    this.#erase();
    this.#output.write(`${line}\n`);
    this.#draw();
  }

  /** Shows a board from now on. */
  show(board, startedAt) {
    this.#board = board;
    this.#startedAt = startedAt;
    if (!this.isTerminal) return;
    this.#timer ??= setInterval(() => this.#redraw(), REDRAW_MS).unref();
    this.#redraw();
  }

  /** Leaves the board as it stands. */
  release() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#board = undefined;
    this.#drawn = 0;
  }

  #redraw() {
    this.#erase();
    this.#draw();
  }

  #draw() {
    if (this.#board === undefined || !this.isTerminal) return;
    // A terminal that does not tell its width says 0.
    const columns = this.#output.columns || DEFAULT_COLUMNS;
    const lines = renderBoard(this.#board, {
      now: Date.now(),
      startedAt: this.#startedAt,
      columns,
      paint: this.paint,
    });
    this.#output.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  #erase() {
    if (this.#drawn > 0) this.#output.write(`\x1b[${this.#drawn}A\x1b[0J`);
    this.#drawn = 0;
  }
}
