import { parseKeyCommand } from './key-command.js';

describe('parseKeyCommand', () => {
  it.each([
    ['create --name ci', { kind: 'create', name: 'ci', namespace: 'default', role: 'admin' }],
    [
      'create --name ci --namespace team-a --role viewer --expires-days 30',
      { kind: 'create', name: 'ci', namespace: 'team-a', role: 'viewer', expiresDays: 30 },
    ],
    [
      'create --name w --agents translator,reviewer',
      {
        kind: 'create',
        name: 'w',
        namespace: 'default',
        role: 'admin',
        agents: ['translator', 'reviewer'],
      },
    ],
    ['list', { kind: 'list', namespace: 'default' }],
    ['revoke key_1 --namespace b', { kind: 'revoke', namespace: 'b', id: 'key_1' }],
  ])('reads %s', (text, command) => {
    expect(parseKeyCommand(text.split(' '))).toEqual({ ok: true, value: command });
  });

  it.each([
    ['', 'Expected create, list, or revoke'],
    ['destroy', 'Expected create, list, or revoke'],
    ['list key_1', 'Expected create, list, or revoke'],
    ['revoke', 'Expected create, list, or revoke'],
    ['create', '--name is required'],
    ['create --name a --role king', '--role must be one of admin'],
    ['create --name a --expires-days 0', '--expires-days must be a whole number'],
    ['create --name a --namespace A_B', '--namespace must be of lower-case letters'],
    ['create --name a --agents ,', '--agents must be keys of agents'],
    ['create --nam a', "Unknown option '--nam'"],
  ])('refuses %j', (text, message) => {
    expect(parseKeyCommand(text === '' ? [] : text.split(' '))).toEqual({
      ok: false,
      failure: expect.stringContaining(message),
    });
  });
});
