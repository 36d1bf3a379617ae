import { Module } from '@nestjs/common';

import { FirstKeyService } from './first-key.service.js';

/** Makes the first key at the start of the service. Apart from `AuthModule`, which tools use, too. */
@Module({ providers: [FirstKeyService] })
export class FirstKeyModule {}
