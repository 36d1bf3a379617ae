/** Cuts a stream of bytes into lines of text, and refuses to hold a line beyond a bound. */
export class LineSplitter {
  private parts: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /**
   * The lines that end in this chunk, without their newline; what is after the last stays for the next chunk.
   *
   * @throws RangeError when a line has more than `maxBytes`
   */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.keep(chunk.subarray(start, end));
      lines.push(Buffer.concat(this.parts).toString('utf8'));
      this.parts = [];
      this.bytes = 0;
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
    return lines;
  }

  private keep(part: Buffer): void {
    this.bytes += part.length;
    if (this.bytes > this.maxBytes) throw new RangeError(`A line has more than ${this.maxBytes} bytes`);
    if (part.length > 0) this.parts.push(part);
  }
}
