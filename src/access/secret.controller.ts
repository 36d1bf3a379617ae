import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { PutSecretDto, SecretDto, SecretNameDto, secretViewOf } from './dto/secret.dto.js';
import { EXAMPLE_OLD_SECRET } from './example-secrets.service.js';
import { secretErrors } from './secret.errors.js';
import { SecretService } from './secret.service.js';

@ApiTags('Secrets')
@Controller('secrets')
export class SecretController {
  constructor(private readonly secrets: SecretService) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List the names of secrets', description: 'Values are never shown.' })
  @ApiPage(SecretDto, 'Secrets by name')
  async list(
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<SecretDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.secrets.list(namespace, page);
    return { ...rest, items: items.map(secretViewOf) };
  }

  @Put(':name')
  @RateClass('write')
  @ApiOperation({
    summary: 'Set a secret',
    description:
      'Makes it, or gives it another value; calls from then on use that. Settings of agents refer to it as ' +
      '`{ "secret": "<name>" }`.',
  })
  @ApiOkResponse({ type: SecretDto })
  @ApiProblems(secretErrors['secret.not-configured'])
  async put(
    @Param() { name }: SecretNameDto,
    @Body() { value }: PutSecretDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<SecretDto> {
    return secretViewOf(await this.secrets.put(namespace, name, value));
  }

  @Delete(':name')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({
    summary: 'Delete a secret',
    description: 'Calls that need it fail from then on with `secret.not-found`.',
  })
  @ApiParam({ name: 'name', description: 'The name of the secret.', example: EXAMPLE_OLD_SECRET })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(secretErrors['secret.not-found'])
  async delete(@Param('name') name: string, @CurrentPrincipal() { namespace }: Principal): Promise<void> {
    await this.secrets.delete(namespace, name);
  }
}
