/** Files that are sent as text, as esbuild's text loader gives them to the bundles. */
module.exports = {
  process: (text) => ({ code: `module.exports = { __esModule: true, default: ${JSON.stringify(text)} };` }),
};
