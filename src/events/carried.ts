/** What a command has led to. */
export interface Carried<T> {
  readonly result: T;
  /** Done once the client has its answer: events of a run come after it. */
  readonly afterwards?: () => void;
}
