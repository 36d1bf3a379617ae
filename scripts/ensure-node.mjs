/**
 * Stops with one clear sentence when the running Node is too old, or when nothing is installed yet.
 *
 * Imported first by every script; its syntax is plain, so that an old Node can still read it.
 */
import { existsSync } from 'node:fs';

const LEAST = [24, 9];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  stop(
    `Ensemble needs Node ${LEAST.join('.')} or newer, and this is ${process.versions.node}: run "npm ci", ` +
      'then use the npm scripts ("npm start", "npm test"), which run on the Node that "npm ci" installed.',
  );
}
if (!existsSync(new URL('../node_modules/', import.meta.url))) {
  stop('The packages that Ensemble needs are not installed: run "npm ci" first.');
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
