/**
 * One pass over the bytes of a JSON text before it is parsed.
 *
 * Decided here: whether the text is JSON (RFC 8259), where it stops being JSON, and whether it stays within the
 * bounds. Beyond the grammar, two kinds of values are refused because they would not come back as they went in:
 * numbers beyond the range of a double, and `\u` escapes that are half of a surrogate pair.
 */
import { isUtf8 } from 'node:buffer';

/** Bounds of one JSON text. */
export interface JsonBounds {
  /** Levels of nested arrays and objects; `[1]` has one. */
  readonly maxDepth: number;
  /** Members of all objects together; arrays and objects together are bounded by the same number. */
  readonly maxKeys: number;
}

export interface JsonProblem {
  readonly reason: 'syntax' | 'too-deep' | 'too-many-keys';
  /** Bytes before the place of the problem. */
  readonly offset: number;
  /** A whole clause without the place: "expected a value". */
  readonly message: string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Longest number, in characters, that cannot exceed the range of a double without an exponent. */
const SURELY_FINITE_LENGTH = 300;

/** The first problem of a JSON text, or undefined when it can be parsed safely. Never throws. */
export function findJsonProblem(bytes: Buffer, bounds: JsonBounds): JsonProblem | undefined {
  if (!isUtf8(bytes)) return { reason: 'syntax', offset: 0, message: 'the text is not valid UTF-8' };
  try {
    new JsonScanner(bytes, bounds).scan();
    return undefined;
  } catch (error) {
    if (error instanceof ScanStop) return error.problem;
    throw error;
  }
}

class ScanStop extends Error {
  constructor(readonly problem: JsonProblem) {
    super(problem.message);
  }
}

class JsonScanner {
  private at = 0;
  private keys = 0;
  private containers = 0;
  private depth = 0;
  /** What closes the container at each level: the innermost at `depth - 1`. */
  private readonly closers: Uint8Array;

  constructor(
    private readonly bytes: Buffer,
    private readonly bounds: JsonBounds,
  ) {
    this.closers = new Uint8Array(bounds.maxDepth);
  }

  scan(): void {
    do this.scanValue();
    while (this.leadsToValue());
    if (this.at < this.bytes.length) this.stop('expected the end of the text');
  }

  /** Scans one scalar, or the opening of a container down to its first scalar. */
  private scanValue(): void {
    for (;;) {
      const byte = this.nextByte();
      if (byte !== OPEN_ARRAY && byte !== OPEN_OBJECT) {
        this.scanScalar(byte);
        return;
      }
      this.open(byte);
      if (this.isClosed()) return;
      if (byte === OPEN_OBJECT) this.scanKey();
    }
  }

  /** After a value: closes what ends here; true when another value must follow. */
  private leadsToValue(): boolean {
    while (this.depth > 0) {
      const byte = this.nextByte();
      const closer = this.closers[this.depth - 1];
      if (byte === COMMA) {
        this.at += 1;
        if (closer === CLOSE_OBJECT) this.scanKey();
        return true;
      }
      if (byte !== closer) this.stop(`expected a comma or ${closer === CLOSE_OBJECT ? '}' : ']'}`);
      this.at += 1;
      this.depth -= 1;
    }
    this.nextByte();
    return false;
  }

  private open(byte: number): void {
    if (this.depth === this.bounds.maxDepth) {
      this.stop(`more than ${this.bounds.maxDepth} levels of arrays and objects`, 'too-deep');
    }
    if (this.containers === this.bounds.maxKeys) {
      this.stop(`more than ${this.bounds.maxKeys} arrays and objects`, 'too-many-keys');
    }
    this.containers += 1;
    this.closers[this.depth] = byte === OPEN_ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT;
    this.depth += 1;
    this.at += 1;
  }

  /** Steps over the end of a container that was opened just now and is empty. */
  private isClosed(): boolean {
    if (this.nextByte() !== this.closers[this.depth - 1]) return false;
    this.at += 1;
    this.depth -= 1;
    return true;
  }

  private scanKey(): void {
    if (this.nextByte() !== QUOTE) this.stop('expected a key in double quotes');
    if (this.keys === this.bounds.maxKeys) {
      this.stop(`more than ${this.bounds.maxKeys} keys`, 'too-many-keys');
    }
    this.keys += 1;
    this.scanString();
    if (this.nextByte() !== COLON) this.stop('expected a colon');
    this.at += 1;
  }

  private scanScalar(byte: number): void {
    if (byte === QUOTE) this.scanString();
    else if (byte === MINUS || isDigit(byte)) this.scanNumber();
    else if (!this.skipWord('true') && !this.skipWord('false') && !this.skipWord('null')) {
      this.stop('expected a value');
    }
  }

  private skipWord(word: string): boolean {
    if (this.bytes.toString('latin1', this.at, this.at + word.length) !== word) return false;
    this.at += word.length;
    return true;
  }

  private scanString(): void {
    const { bytes } = this;
    this.at += 1;
    for (;;) {
      const byte = bytes[this.at] ?? this.stop('the string does not end');
      if (byte < 0x20) this.stop('a control character in a string must be escaped');
      if (byte === BACKSLASH) this.scanEscape();
      else this.at += 1;
      if (byte === QUOTE) return;
    }
  }

  private scanEscape(): void {
    const byte = this.bytes[this.at + 1];
    if (byte === LOWER_U) this.scanUnicodeEscape();
    else if (byte !== undefined && '"\\/bfnrt'.includes(String.fromCharCode(byte))) this.at += 2;
    else this.stop('unknown escape in a string');
  }

  private scanUnicodeEscape(): void {
    const unit = this.readUnit();
    if (unit >= 0xdc00 && unit <= 0xdfff) this.stop('half of a surrogate pair');
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = this.bytes[this.at + 6] === BACKSLASH && this.bytes[this.at + 7] === LOWER_U;
      const low = next ? this.readUnit(6) : 0;
      if (low < 0xdc00 || low > 0xdfff) this.stop('half of a surrogate pair');
      this.at += 6;
    }
    this.at += 6;
  }

  private readUnit(ahead = 0): number {
    const digits = this.bytes.toString('latin1', this.at + ahead + 2, this.at + ahead + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.stop('expected four hexadecimal digits after \\u');
    return Number.parseInt(digits, 16);
  }

  private scanNumber(): void {
    const start = this.at;
    if (this.bytes[this.at] === MINUS) this.at += 1;
    if (this.bytes[this.at] === ZERO) this.at += 1;
    else this.skipDigits();
    if (this.bytes[this.at] === DOT) {
      this.at += 1;
      this.skipDigits();
    }
    const hasExponent = ((this.bytes[this.at] ?? 0) | 0x20) === LOWER_E;
    if (hasExponent) this.skipExponent();
    if (hasExponent || this.at - start > SURELY_FINITE_LENGTH) this.checkRange(start);
  }

  private skipExponent(): void {
    this.at += 1;
    const sign = this.bytes[this.at];
    if (sign === PLUS || sign === MINUS) this.at += 1;
    this.skipDigits();
  }

  private skipDigits(): void {
    const start = this.at;
    while (isDigit(this.bytes[this.at] ?? 0)) this.at += 1;
    if (this.at === start) this.stop('expected a digit');
  }

  private checkRange(start: number): void {
    if (Number.isFinite(Number(this.bytes.toString('latin1', start, this.at)))) return;
    this.at = start;
    this.stop('the number is beyond the range of a double');
  }

  /** The next byte that is not white space, without stepping over it; 0 at the end of the text. */
  private nextByte(): number {
    const { bytes } = this;
    let byte = bytes[this.at] ?? 0;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.at += 1;
      byte = bytes[this.at] ?? 0;
    }
    return byte;
  }

  private stop(message: string, reason: JsonProblem['reason'] = 'syntax'): never {
    const found = this.at < this.bytes.length ? '' : ', and the text ends';
    throw new ScanStop({ reason, offset: this.at, message: message + found });
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
