import { Global, Module } from '@nestjs/common';

import { AuthService } from './auth.service.js';
import { KeyCache } from './key-cache.js';
import { KeyService } from './key.service.js';

/** Keys, and who may come in. Needs a `KeyStore`. */
@Global()
@Module({
  providers: [AuthService, KeyCache, KeyService],
  exports: [AuthService, KeyCache, KeyService],
})
export class AuthModule {}
