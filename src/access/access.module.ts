import { Global, Module } from '@nestjs/common';

import { SealSource } from '../platform/ports/seal.source.js';
import { SecretSource } from '../platform/ports/secret.source.js';
import { TokenSigner } from '../platform/ports/token-signer.js';
import { ExampleSecretsService } from './example-secrets.service.js';
import { SecretController } from './secret.controller.js';
import { SecretService } from './secret.service.js';
import { SigningService } from './signing.service.js';

/** What callers are trusted with: secrets, whose values are there for every feature that makes calls, and signatures. */
@Global()
@Module({
  controllers: [SecretController],
  providers: [
    ExampleSecretsService,
    SecretService,
    { provide: SecretSource, useExisting: SecretService },
    { provide: SealSource, useExisting: SecretService },
    { provide: TokenSigner, useClass: SigningService },
  ],
  exports: [SealSource, SecretSource, TokenSigner],
})
export class AccessModule {}
