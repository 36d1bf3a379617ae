import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { AgentController } from './agent.controller.js';
import { AgentService } from './agent.service.js';
import { ProviderRegistry } from './provider.registry.js';
import { EchoProvider } from './providers/echo/echo.provider.js';
import { ScriptedProvider } from './providers/scripted/scripted.provider.js';

/** Agents: the registry, and the providers that come with the service. */
@Module({
  imports: [DiscoveryModule],
  controllers: [AgentController],
  providers: [AgentService, ProviderRegistry, EchoProvider, ScriptedProvider],
  exports: [AgentService],
})
export class AgentsModule {}
