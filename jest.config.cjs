/** Three projects: `unit` needs nothing, `disk` needs root and disk tools, `e2e` boots machines. */
const base = {
  transform: {
    '\\.py$': '<rootDir>/test/support/setup/text-module.js',
    '^.+\\.(ts|js|mjs)$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' } },
    ],
  },
  // ESM-only packages are compiled for jest's CommonJS runtime.
  transformIgnorePatterns: ['/node_modules/(?!(p-limit|yocto-queue)/)'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node', 'py'],
  testEnvironment: 'node',
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  globalSetup: '<rootDir>/test/support/setup/temporary-folder.ts',
  globalTeardown: '<rootDir>/test/support/setup/remove-temporary-folder.ts',
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/dist', '<rootDir>/.imageelves'],
};

/** Installs the tools that are missing, or fails and names them: no test is skipped for want of one. */
const machine = { ...base, globalSetup: '<rootDir>/test/support/setup/machine.ts' };

module.exports = {
  testSequencer: '<rootDir>/test/support/setup/longest-first.mjs',
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/test/**/*.test.ts'] },
    { ...machine, displayName: 'disk', testMatch: ['<rootDir>/test/**/*.disk.ts'] },
    { ...machine, displayName: 'e2e', testMatch: ['<rootDir>/test/**/*.e2e.ts'] },
  ],
};
