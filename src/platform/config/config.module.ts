import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';

import {
  AgentConfig,
  EgressConfig,
  EngineConfig,
  LifecycleConfig,
  LimitConfig,
  LoggingConfig,
  MetricConfig,
  ProviderConfig,
  RateConfig,
  SandboxConfig,
  SecurityConfig,
  ServerConfig,
  StorageConfig,
  TemplateConfig,
  TraceConfig,
  type AppConfig,
} from './app.config.js';

/** Each group's class, and where it stands in the configuration. */
const GROUPS = [
  [ServerConfig, 'server'],
  [StorageConfig, 'storage'],
  [EngineConfig, 'engine'],
  [TemplateConfig, 'templates'],
  [AgentConfig, 'agents'],
  [ProviderConfig, 'providers'],
  [LimitConfig, 'limits'],
  [RateConfig, 'rates'],
  [SecurityConfig, 'security'],
  [EgressConfig, 'egress'],
  [SandboxConfig, 'sandbox'],
  [LifecycleConfig, 'lifecycle'],
  [LoggingConfig, 'logging'],
  [MetricConfig, 'metrics'],
  [TraceConfig, 'traces'],
] as const satisfies readonly (readonly [abstract new () => unknown, keyof AppConfig])[];

/**
 * Gives each service its group of the configuration, by the class of the group.
 *
 * The environment was read and checked before Nest started (load-config.ts), so `ConfigModule` reads nothing itself.
 */
@Global()
@Module({})
export class AppConfigModule {
  static forRoot(config: AppConfig): DynamicModule {
    const options = { ignoreEnvFile: true, ignoreEnvVars: true, skipProcessEnv: true, load: [() => config] };
    const providers = GROUPS.map(groupProvider);
    return {
      module: AppConfigModule,
      imports: [ConfigModule.forRoot(options)],
      providers,
      exports: providers,
    };
  }
}

function groupProvider([provide, group]: (typeof GROUPS)[number]): FactoryProvider {
  return {
    provide,
    useFactory: (config: ConfigService<AppConfig, true>): unknown => config.get(group, { infer: true }),
    inject: [ConfigService],
  };
}
