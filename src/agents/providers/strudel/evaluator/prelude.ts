// SPDX-License-Identifier: AGPL-3.0-or-later
/** What the Strudel packages expect of their surroundings when they load. Must be imported before them. */
const silent = (): undefined => undefined;

Object.assign(globalThis, {
  console: { log: silent, info: silent, debug: silent, warn: silent, error: silent, assert: silent },
  performance: { now: () => 0 },
});

export {};
