/**
 * Labels of figures that leave the service, of which there are few by design.
 *
 * Decided here: the first `size` values keep their names; all others are `other`.
 */
export class LabelSet {
  private readonly known = new Set<string>();

  /** @param size values with a name of their own, at least 1 */
  constructor(private readonly size: number) {}

  /** The value itself while there is room or it has one, else `other`. */
  label(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.size) return 'other';
    this.known.add(value);
    return value;
  }
}
