/**
 * The routes of versions and labels, which are the same for templates, agents and workflows.
 *
 * Decided here: paths, statuses, rate classes and what the OpenAPI document says of them. Decided elsewhere: what they
 * answer (each controller), and how they refuse (each feature's errors).
 */
import { applyDecorators, Delete, Get, HttpCode, HttpStatus, Put, type Type } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';

import type { ErrorType } from '../../kernel/failure.js';
import { ApiPage, ApiProblems } from '../http/api.decorator.js';
import { RateClass } from '../http/rate-class.decorator.js';

/** What has versions, as the document speaks of it. */
export interface VersionedResource {
  /** `a template`, `an agent`. */
  readonly noun: string;
  /** The parameter `id` of its routes. */
  readonly id: { readonly name: string; readonly description?: string; readonly example: string };
  /** What a route answers with that shows one version. */
  readonly type: Type;
  /** A sentence on which versions may carry a label; absent: any may. */
  readonly labelled?: string;
}

const LABEL = { name: 'label', example: 'staging' } as const;
const VERSION = { name: 'version', example: '1' } as const;

/** `GET :id/versions`. */
export function GetVersions(
  { noun, id }: VersionedResource,
  items: { readonly type: Type; readonly description: string },
  ...problems: readonly ErrorType[]
): MethodDecorator {
  return applyDecorators(
    Get(':id/versions'),
    RateClass('read'),
    ApiOperation({ summary: `List the versions of ${noun}, newest first` }),
    ApiParam(id),
    ApiPage(items.type, items.description),
    ApiProblems(...problems),
  );
}

/** `GET :id/versions/:version`. */
export function GetVersion(
  { noun, id, type }: VersionedResource,
  ...problems: readonly ErrorType[]
): MethodDecorator {
  return applyDecorators(
    Get(':id/versions/:version'),
    RateClass('read'),
    ApiOperation({ summary: `Read one version of ${noun}` }),
    ApiParam(VERSION),
    ApiParam(id),
    ApiOkResponse({ type }),
    ApiProblems(...problems),
  );
}

/** `PUT :id/labels/:label`. */
export function PutLabel(
  { id, type, labelled = '' }: VersionedResource,
  ...problems: readonly ErrorType[]
): MethodDecorator {
  return applyDecorators(
    Put(':id/labels/:label'),
    RateClass('write'),
    ApiOperation({
      summary: 'Put a label on a version',
      description: `Away from the version that had it. ${labelled}`.trim(),
    }),
    ApiParam(LABEL),
    ApiParam(id),
    ApiOkResponse({ type, description: 'The version that carries the label now.' }),
    ApiProblems(...problems),
  );
}

/** `DELETE :id/labels/:label`. */
export function DeleteLabel({ id }: VersionedResource, ...problems: readonly ErrorType[]): MethodDecorator {
  return applyDecorators(
    Delete(':id/labels/:label'),
    HttpCode(HttpStatus.NO_CONTENT),
    RateClass('write'),
    ApiOperation({ summary: 'Take a label away' }),
    ApiParam(LABEL),
    ApiParam(id),
    ApiNoContentResponse({ description: 'No version carries it any more.' }),
    ApiProblems(...problems),
  );
}
