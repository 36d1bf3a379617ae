/** A QuickJS engine with a memory of its own, which can not grow beyond its bound. */
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  RELEASE_SYNC,
  type QuickJSRuntime,
} from 'quickjs-emscripten';

const PAGES_PER_MB = 16;
const FIRST_PAGES = 256;
const STACK_BYTES = 256 * 1024;
const BYTES_PER_MB = 1024 * 1024;
/** The part of its bound from which on a memory counts as full: it grows in leaps. */
const FULL = 0.9;

/** The compiler's library for Node does not declare WebAssembly. */
interface Wasm {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  compile(bytes: Uint8Array): Promise<object>;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };

type Customization = NonNullable<Parameters<typeof newVariant>[1]>;

/** The code of an engine, compiled: opaque, shared by all engines of a thread. */
export type EngineCode = object;

export function compileEngine(bytes: Uint8Array): Promise<EngineCode> {
  return WebAssembly.compile(bytes);
}

export interface Engine {
  readonly runtime: QuickJSRuntime;
  /** Whether its memory has ever been as large as it may become. It does not shrink. */
  hasBeenFull(): boolean;
}

/** @param code compiled before; absent: compiled for this engine alone */
export async function newEngine(memoryMb: number, code?: EngineCode): Promise<Engine> {
  const wasmMemory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: memoryMb * PAGES_PER_MB });
  const options = { wasmMemory, ...(code !== undefined && { wasmModule: code }) } as Customization;
  const engine = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, options));
  const runtime = engine.newRuntime();
  runtime.setMaxStackSize(STACK_BYTES);
  // Asked for more, the memory refuses; a limit just below lets most programs see an exception instead.
  runtime.setMemoryLimit(memoryMb * BYTES_PER_MB);
  return { runtime, hasBeenFull: () => wasmMemory.buffer.byteLength >= FULL * memoryMb * BYTES_PER_MB };
}
