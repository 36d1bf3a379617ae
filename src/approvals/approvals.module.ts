import { Module } from '@nestjs/common';

import { RunsModule } from '../runs/runs.module.js';
import { ApprovalController } from './approval.controller.js';
import { ApprovalLinkController } from './approval-link.controller.js';
import { ApprovalLinkService } from './approval-link.service.js';
import { ApprovalService } from './approval.service.js';
import { ExampleApprovalsService } from './example-approvals.service.js';

/** Approvals: the inbox of what waits for a decision, answers, and links for people outside. */
@Module({
  imports: [RunsModule],
  controllers: [ApprovalController, ApprovalLinkController],
  providers: [ApprovalLinkService, ApprovalService, ExampleApprovalsService],
})
export class ApprovalsModule {}
