import { getMetadataStorage } from 'class-validator';

import { StartRunDto } from '../../runs/dto/start-run.dto.js';
import { StartCommandDto } from './start-command.dto.js';

/** Every rule of a DTO: field, validator and its arguments. */
function rulesOf(dto: new () => object): readonly string[] {
  return getMetadataStorage()
    .getTargetValidationMetadatas(dto, '', true, false)
    .map(({ propertyName, name, type, constraints, each }) =>
      [propertyName, type, String(name), String(constraints), each].join(' '),
    )
    .sort();
}

describe('the payload of run.start', () => {
  it('has the fields and rules of the body of POST /runs', () => {
    expect(rulesOf(StartCommandDto).length).toBeGreaterThan(0);
    expect(rulesOf(StartCommandDto)).toEqual(rulesOf(StartRunDto));
  });
});
