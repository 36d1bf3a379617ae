import { describeWithPostgres } from '../support/services.js';
import { recordContract } from './record.contract.js';
import { describeOnSqlite, postgresEngine } from './sql-engines.js';

describeOnSqlite(recordContract);

describeWithPostgres('on PostgreSQL', (url) => {
  describe('as it is', () => {
    recordContract(postgresEngine(url));
  });
});
