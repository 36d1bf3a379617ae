import { Global, Module } from '@nestjs/common';

import { Clock, SystemClock } from './clock/clock.js';
import { RecordClock } from './clock/record.clock.js';
import { StorageConfig } from './config/app.config.js';
import { IdSource, UuidSource } from './ids/id.source.js';
import { JsonSchemaService } from './json-schema/json-schema.service.js';
import { CacheCounts } from './telemetry/cache-counts.js';

/** Time, ids, JSON Schemas and counts of caches for everyone. */
@Global()
@Module({
  providers: [
    {
      provide: Clock,
      useFactory: ({ databaseUrl }: StorageConfig) =>
        databaseUrl === undefined ? new SystemClock() : new RecordClock(),
      inject: [StorageConfig],
    },
    { provide: IdSource, useClass: UuidSource },
    JsonSchemaService,
    CacheCounts,
  ],
  exports: [CacheCounts, Clock, IdSource, JsonSchemaService],
})
export class PlatformModule {}
