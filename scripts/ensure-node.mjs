/**
 * Stops with one clear sentence when the running Node is too old.
 *
 * Imported first by every script; keep its syntax plain, so that an old Node can still read it.
 */
const LEAST = [24, 9];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  console.error(
    `Ensemble needs Node ${LEAST.join('.')} or newer, and this is ${process.versions.node}: run "npm ci", ` +
      'then use the npm scripts ("npm start", "npm test"), which run on the Node that "npm ci" installed.',
  );
  process.exit(1);
}
