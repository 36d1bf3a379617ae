import { Global, Module } from '@nestjs/common';

import { AddressSource, SystemAddresses } from './address.source.js';
import { Egress } from './egress.js';

/** The checked way out, for everyone. */
@Global()
@Module({
  providers: [Egress, { provide: AddressSource, useClass: SystemAddresses }],
  exports: [Egress],
})
export class EgressModule {}
