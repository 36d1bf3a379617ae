// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * A QuickJS engine that has loaded the Strudel bundle, with bounds on time, memory and stack.
 *
 * The whole memory of the engine is one WebAssembly memory. It is copied once after loading and put back after every
 * evaluation, so each starts from the same bytes, whatever the one before did, without loading the bundle again.
 */
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  RELEASE_SYNC,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
} from 'quickjs-emscripten';

const PAGE_BYTES = 65_536;
const MEMORY_PAGES = (64 * 1024 * 1024) / PAGE_BYTES;
const FIRST_PAGES = MEMORY_PAGES / 4;
const STACK_BYTES = 256 * 1024;

/** The compiler's library for Node does not declare WebAssembly. */
interface Memory {
  readonly buffer: ArrayBuffer;
}

const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (pages: { initial: number; maximum: number }) => Memory };
};

export type Limit = 'time' | 'memory' | 'stack';

/**
 * `text` is the bundled program's own answer. `never-settled`: the evaluated one awaits what nothing can settle any
 * more. `broken`: it changed what the bundled one relies on.
 */
export type SandboxAnswer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'never-settled' }
  | { readonly kind: 'limit'; readonly limit: Limit };

export class Sandbox {
  private readonly image: Uint8Array;
  private readonly program: QuickJSHandle;
  private deadline = Infinity;
  private late = false;

  private constructor(
    private readonly memory: Memory,
    private readonly runtime: QuickJSRuntime,
    private readonly context: QuickJSContext,
    bundle: string,
  ) {
    runtime.setMaxStackSize(STACK_BYTES);
    runtime.setMemoryLimit(MEMORY_PAGES * PAGE_BYTES);
    context.unwrapResult(context.evalCode(bundle, 'strudel.bundle.js')).dispose();
    this.program = context.getProp(context.global, 'evaluateProgram');
    context.unwrapResult(context.evalCode('delete globalThis.evaluateProgram')).dispose();
    runtime.setInterruptHandler(() => (this.late ||= performance.now() > this.deadline));
    this.image = new Uint8Array(memory.buffer.slice(0));
  }

  /** Loads the bundle; takes some 150 ms. */
  static async load(bundle: string): Promise<Sandbox> {
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MEMORY_PAGES });
    const engine = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmMemory: memory }));
    const runtime = engine.newRuntime();
    return new Sandbox(memory, runtime, runtime.newContext(), bundle);
  }

  /** Evaluates one request. After a limit, which may leave the engine in the midst of something, it is worn out. */
  evaluate(request: string, timeLimitMs: number): SandboxAnswer {
    this.late = false;
    this.deadline = performance.now() + timeLimitMs;
    const answer = this.call(request);
    this.deadline = Infinity;
    this.putBack();
    return this.isLate() ? { kind: 'limit', limit: 'time' } : answer;
  }

  /** Handles are left behind: what they point to goes when the memory is put back. */
  private call(request: string): SandboxAnswer {
    const { context, runtime } = this;
    try {
      const promise = context.unwrapResult(
        context.callFunction(this.program, context.undefined, context.newString(request)),
      );
      runtime.executePendingJobs().unwrap();
      const state = context.getPromiseState(promise);
      if (state.type === 'pending') return { kind: 'never-settled' };
      if (state.type === 'fulfilled') return { kind: 'text', text: context.getString(state.value) };
      return brokenBy(context.getString(context.getProp(state.error, 'message')));
    } catch (error) {
      return { kind: 'limit', limit: limitOf(error) };
    }
  }

  private isLate(): boolean {
    return this.late;
  }

  private putBack(): void {
    const bytes = new Uint8Array(this.memory.buffer);
    bytes.set(this.image);
    bytes.fill(0, this.image.length);
  }
}

/** The program's own code threw: there was no room for it, or the evaluated one changed what it relies on. */
function brokenBy(message: string): SandboxAnswer {
  if (message === 'out of memory') return { kind: 'limit', limit: 'memory' };
  if (message === 'stack overflow') return { kind: 'limit', limit: 'stack' };
  return { kind: 'broken', message };
}

/** What breaks through the engine's own checks: the native stack gave way, or an allocation in between did. */
function limitOf(error: unknown): Limit {
  return error instanceof Error && error.message.includes('stack') ? 'stack' : 'memory';
}
