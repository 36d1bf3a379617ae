import { AppError } from '../../kernel/failure.js';
import { DiskRoom } from './disk-room.js';
import { storageErrors } from './storage.errors.js';

const FULL = AppError.of(storageErrors['store.full'], 'no room');
const AWAY = AppError.of(storageErrors['store.unavailable'], 'nobody there');

let now = 0;
let room: DiskRoom;

beforeEach(() => {
  now = 1_000;
  room = new DiskRoom(() => now);
});

it('is short once a write has found none, until there is some', () => {
  expect(room.isShort).toBe(false);
  room.note(FULL);
  expect(room.isShort).toBe(true);
  room.found();
  expect(room.isShort).toBe(false);
});

it('says how long ago a write found none last', () => {
  room.note(FULL);
  now += 300;
  room.note(FULL);
  now += 200;
  expect(room.refusedForMs).toBe(200);
});

it.each([AWAY, new Error('no luck'), undefined])('is not short because of %s', (error) => {
  room.note(error);
  expect(room.isShort).toBe(false);
});
