import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';

import { TEMPLATE_NAME } from '../domain/template.js';
import { exampleContent } from '../examples.js';
import { TemplateContentDto } from './template-content.dto.js';

const MAX_TAGS = 20;
const MAX_NOTE_LENGTH = 500;

const CHANGE_NOTE = { maxLength: MAX_NOTE_LENGTH, description: 'Why; kept with the version.' };

/** The body of `POST /templates`. */
export class CreateTemplateDto extends TemplateContentDto {
  @ApiProperty({
    pattern: TEMPLATE_NAME.source,
    description:
      'Unique in the namespace, never changed. Templates can be addressed by it in place of the id.',
    example: 'welcome-letter',
  })
  @Matches(TEMPLATE_NAME, {
    message: 'name must be 1 to 100 of small letters, digits and . _ -, and not begin with tpl_',
  })
  readonly name!: string;

  @ApiPropertyOptional({ example: 'Welcomes a new user.' })
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  readonly description?: string;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_TAGS,
    description: 'To find the template by; each 1 to 64 of letters, digits and `._:/-`.',
    example: ['letters'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: string[];

  @ApiPropertyOptional({ ...CHANGE_NOTE, example: 'first draft' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly changeNote?: string;
}

/** The body of `PUT /templates/:id`. What is left out stays as it is. */
export class UpdateTemplateDto extends OmitType(CreateTemplateDto, [
  'name',
  'content',
  'changeNote',
] as const) {
  @ApiPropertyOptional({
    description: 'The text of a text template, in Liquid; at most 256 KiB.',
    example: `${exampleContent}\nKeep it short.`,
  })
  @IsOptional()
  @IsString()
  @MinLength(1)
  readonly content?: string;

  @ApiPropertyOptional({ ...CHANGE_NOTE, example: 'shorter' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly changeNote?: string;
}
