import { Module } from '@nestjs/common';

import { HttpProvider } from './http.provider.js';

/** Needs `Egress`, `SecretSource` and `Clock` from global modules. */
@Module({ providers: [HttpProvider], exports: [HttpProvider] })
export class HttpAgentModule {}
