import { Injectable } from '@nestjs/common';

import { ReferenceChecks } from '../templates/reference.check.js';

/** What refers to an agent, asked before it is deleted; who refers to agents registers a check. `name` is the key. */
@Injectable()
export class AgentReferences extends ReferenceChecks {}
