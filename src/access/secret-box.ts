/**
 * Encryption of values at rest: AES-256-GCM (NIST SP 800-38D) with a fresh nonce for each.
 *
 * A sealed value is `v1.<key>.<nonce, cipher text and tag in base64url>`; `<key>` tells which key it needs. Namespace
 * and name are authenticated with it: a value that was moved to another row can not be opened.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** Bytes of a key. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** Whose value it is. */
export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

export class SecretBox {
  private readonly keyName: string;

  /** @param key 32 bytes */
  constructor(private readonly key: Buffer) {
    this.keyName = createHash('sha256').update(key).digest('hex').slice(0, 8);
  }

  seal(value: string, place: SecretPlace): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce).setAAD(bytesOf(place));
    const sealed = [nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return `v1.${this.keyName}.${Buffer.concat(sealed).toString('base64url')}`;
  }

  /** The value, or undefined when it was sealed with another key, for another place, or was changed. */
  open(sealed: string, place: SecretPlace): string | undefined {
    const [version, keyName, body = ''] = sealed.split('.');
    const bytes = Buffer.from(body, 'base64url');
    if (version !== 'v1' || keyName !== this.keyName || bytes.length < NONCE_BYTES + TAG_BYTES)
      return undefined;
    const decipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(bytesOf(place))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8');
      return text + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}

function bytesOf({ namespace, name }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([namespace, name]));
}
