import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/** Changes what the document says of something that is known only when the application runs. */
export type OpenApiPart = (document: OpenAPIObject) => void;

/** Parts of the OpenAPI document that features add to what their decorators say. */
@Injectable()
export class OpenApiRegistry {
  private readonly parts: OpenApiPart[] = [];

  add(part: OpenApiPart): void {
    this.parts.push(part);
  }

  complete(document: OpenAPIObject): OpenAPIObject {
    for (const part of this.parts) part(document);
    return document;
  }
}
