import type { QuickJSRuntime } from 'quickjs-emscripten';

import type { Issue } from '../../../kernel/failure.js';
import { newEngine } from './sandbox/engine.js';
import { FILE } from './sandbox/program.js';

const MEMORY_MB = 64;
const DEFAULT_EXPORT = /\bexport\s+default\b|\bas\s+default\b/;

/**
 * Finds syntax errors, with the engine that programs run in. It compiles and runs nothing, so it may be done in the
 * process of the service.
 */
export class SyntaxCheck {
  private runtime: QuickJSRuntime | undefined;

  /** Loads the engine: from then on `issuesIn` answers at once. */
  async load(): Promise<void> {
    this.runtime = (await newEngine(MEMORY_MB)).runtime;
  }

  /** What is wrong with a program; nothing is found before the engine is loaded. */
  issuesIn(source: string): readonly Issue[] {
    if (this.runtime === undefined) return [];
    const problem = this.compile(this.runtime, source);
    if (problem !== undefined) return [issue(problem)];
    return DEFAULT_EXPORT.test(source)
      ? []
      : [issue('Expected a default export: `export default async (input, tools) => output`')];
  }

  private compile(runtime: QuickJSRuntime, source: string): string | undefined {
    try {
      const context = runtime.newContext();
      try {
        const { error } = context.evalCode(source, FILE, { type: 'module', compileOnly: true });
        return error?.consume((thrown) => describe(context.dump(thrown)));
      } finally {
        context.dispose();
      }
    } catch {
      // The engine is worn out: another takes its place.
      this.runtime = undefined;
      void this.load();
      return 'The program is too large or nested too deeply to be compiled';
    }
  }
}

function describe(error: unknown): string {
  const { name, message, stack } = error as { name?: string; message?: string; stack?: string };
  const at = /:(\d+):(\d+)/.exec(stack ?? '');
  const where = at === null ? '' : ` (line ${at[1] ?? ''}, column ${at[2] ?? ''})`;
  return `${name ?? 'Error'}: ${message ?? ''}${where}`;
}

function issue(message: string): Issue {
  return { pointer: '/source', code: 'code.invalid', message };
}
