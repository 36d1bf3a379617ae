import { Global, Module } from '@nestjs/common';

import { DrainService } from './drain.service.js';
import { WorkerPool } from './worker-pool.js';

/** How work ends, and the thread for heavy checks. */
@Global()
@Module({ providers: [DrainService, WorkerPool], exports: [DrainService, WorkerPool] })
export class LifecycleModule {}
