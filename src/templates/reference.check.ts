/**
 * What refers to a template, asked before it is deleted.
 *
 * Decided here: the question. Decided elsewhere: the answers; each feature that refers to templates registers one.
 */
import { Injectable } from '@nestjs/common';

/** Something that refers to a template. */
export interface TemplateReference {
  /** What it is, as people call it: `workflow`. */
  readonly kind: string;
  readonly id: string;
  /** Where it has one. */
  readonly name?: string;
  /** The version that refers to it, where there are versions. */
  readonly version?: number;
}

/** The template that is asked about; others may refer to it by either. */
export interface ReferredTemplate {
  readonly id: string;
  readonly name: string;
}

export abstract class ReferenceCheck {
  /** Everything stored in the namespace that refers to the template, at most some hundred; none when it may go. */
  abstract referencesTo(namespace: string, template: ReferredTemplate): Promise<readonly TemplateReference[]>;
}

/** Every check there is. Without one, nothing refers to templates. */
@Injectable()
export class ReferenceChecks extends ReferenceCheck {
  private readonly checks: ReferenceCheck[] = [];

  register(check: ReferenceCheck): void {
    this.checks.push(check);
  }

  override async referencesTo(
    namespace: string,
    template: ReferredTemplate,
  ): Promise<readonly TemplateReference[]> {
    return (await Promise.all(this.checks.map((check) => check.referencesTo(namespace, template)))).flat();
  }
}
