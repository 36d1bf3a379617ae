import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { defaultOf, parseConfig, variableNames } from '../../src/platform/config/config.schema.js';

const text = readFileSync('.env.example', 'utf8');
const withDefault = Object.entries(parseEnv(text));
const withoutDefault = Array.from(text.matchAll(/^# ([A-Z][A-Z0-9_]+)=$/gm), ([, name = '']) => name);

describe('.env.example', () => {
  it('lists the variables of the schema, each once', () => {
    const listed = [...withDefault.map(([name]) => name), ...withoutDefault];

    expect(listed.toSorted()).toEqual(variableNames.toSorted());
  });

  it('writes the defaults of the schema', () => {
    expect(Object.fromEntries(withDefault)).toEqual(
      Object.fromEntries(
        variableNames
          .filter((name) => defaultOf(name) !== undefined)
          .map((name) => [name, String(defaultOf(name))]),
      ),
    );
    expect(withoutDefault.filter((name) => defaultOf(name) !== undefined)).toEqual([]);
  });

  it('is a configuration that means the same as none', () => {
    expect(parseConfig(parseEnv(text))).toEqual(parseConfig({}));
  });

  it('explains every variable', () => {
    const lines = text.split('\n');
    const bare = lines.filter((line, index) => {
      const above = lines[index - 1] ?? '';
      return /^(# )?[A-Z][A-Z0-9_]+=/.test(line) && !/^(# \S|[A-Z][A-Z0-9_]+=)/.test(above);
    });

    expect(bare).toEqual([]);
  });
});
