/** A scene for the length of a test, with what every fault run expects of its end. */
import { FaultScene, type SceneEnd, type SceneOptions } from './scene.js';

/** Runs a test in a scene, and ends the scene however the test ends. */
export async function withScene(
  options: SceneOptions,
  test: (scene: FaultScene) => Promise<void>,
): Promise<void> {
  const scene = await FaultScene.start(options);
  try {
    await test(scene);
  } finally {
    await scene.end();
  }
}

/** Ends the load, and expects that every accepted run has completed and no invariant is violated. */
export async function expectAllKept(scene: FaultScene): Promise<SceneEnd> {
  const end = await scene.finish();
  expect(end.violations).toEqual([]);
  expect(end.failures).toEqual([]);
  expect(end.statuses).toEqual({ completed: scene.accepted.length });
  return end;
}
