import { lookup } from 'node:dns/promises';

/** Finds the addresses of a name. */
export abstract class AddressSource {
  /** Every address, in the order in which to try them. Rejects with the system's error when the name is unknown. */
  abstract resolve(name: string): Promise<readonly string[]>;
}

/** The resolver of the system, its hosts file included. */
export class SystemAddresses extends AddressSource {
  override async resolve(name: string): Promise<readonly string[]> {
    const found = await lookup(name, { all: true, order: 'verbatim' });
    return found.map(({ address }) => address);
  }
}
