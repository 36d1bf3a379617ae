import { Global, Module } from '@nestjs/common';

import { Clock, SystemClock } from './clock/clock.js';
import { IdSource, UuidSource } from './ids/id.source.js';
import { JsonSchemaService } from './json-schema/json-schema.service.js';

/** Time, ids and JSON Schemas for everyone. */
@Global()
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    { provide: IdSource, useClass: UuidSource },
    JsonSchemaService,
  ],
  exports: [Clock, IdSource, JsonSchemaService],
})
export class PlatformModule {}
