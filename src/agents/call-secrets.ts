/**
 * The secrets of one call: found by name when it is made, and taken out of everything that it leaves behind.
 *
 * Decided here: in which forms a value is recognised. Decided elsewhere: where values come from (SecretSource).
 */
import { AppError, type Failure } from '../kernel/failure.js';
import { fromEntries, isJsonObject, type Json } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import type { SecretSource } from '../platform/ports/secret.source.js';
import { untilAnswered, type AskingCall } from './until-answered.js';

const CENSOR = '[redacted]';
/** Shorter text is found everywhere by chance. */
const MIN_LENGTH = 4;

/** The call that needs them; one of a run waits for them while the record is away. */
export interface SecretCall extends AskingCall {
  readonly namespace: string;
}

export class CallSecrets {
  private readonly forms = new Set<string>();

  constructor(
    private readonly source: SecretSource,
    private readonly call: SecretCall,
  ) {}

  /** The value of a secret, or why there is none. */
  async find(name: string): Promise<Result<string>> {
    try {
      const value = await untilAnswered(() => this.source.get(this.call.namespace, name), this.call);
      this.hide(value);
      return ok(value);
    } catch (error) {
      if (AppError.is(error)) return fail(error.failure);
      throw error;
    }
  }

  /** Takes this text for secret too: something that was made from one. */
  hide(text: string): void {
    if (text.length < MIN_LENGTH) return;
    for (const form of formsOf(text)) if (form.length >= MIN_LENGTH) this.forms.add(form);
  }

  /** A text without the secrets of this call. */
  censor(text: string): string {
    let censored = text;
    for (const form of this.forms) censored = censored.replaceAll(form, CENSOR);
    return censored;
  }

  /** A value whose texts, keys included, are without the secrets of this call. */
  censorJson(json: Json): Json {
    if (this.forms.size === 0) return json;
    if (typeof json === 'string') return this.censor(json);
    if (Array.isArray(json)) return json.map((item: Json) => this.censorJson(item));
    if (!isJsonObject(json)) return json;
    return fromEntries(
      Object.entries(json).map(([key, value]) => [this.censor(key), this.censorJson(value)] as const),
    );
  }

  censorFailure(failure: Failure): Failure {
    return this.censorJson(failure as unknown as Json) as unknown as Failure;
  }
}

/** The ways in which a value may be written where it comes back: as it is, in JSON, in a URL, in base64. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text.toWellFormed()),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ];
}
