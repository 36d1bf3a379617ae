import type { ErrorType } from '../../kernel/failure.js';

/** Every error type that the service declares, by code. */
export class ErrorCatalogue {
  private readonly types: ReadonlyMap<string, ErrorType>;

  constructor(declarations: readonly Readonly<Record<string, ErrorType>>[]) {
    const types = declarations.flatMap((declaration) => Object.values(declaration));
    this.types = new Map(types.map((type) => [type.code, type]));
  }

  /** The declaration of a code; undefined for an unknown one. */
  find(code: string): ErrorType | undefined {
    return this.types.get(code);
  }

  /** All declarations, sorted by code. */
  list(): readonly ErrorType[] {
    return [...this.types.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
  }
}
