import tseslint from 'typescript-eslint';

/** Who may import whom (docs/architecture.md). A file that breaks a layer fails the lint. */
const layers = {
  core: {
    folders: ['aws', 'kernel-engine', 'lambdas', 'cdk', 'local', 'cli', 'test', 'bench'],
    packages: [
      '@aws-sdk/*',
      '@smithy/*',
      'aws-cdk-lib',
      'node:fs',
      'node:fs/*',
      'node:child_process',
      'node:http',
      'node:net',
    ],
  },
  aws: {
    folders: ['kernel-engine', 'lambdas', 'cdk', 'local', 'cli', 'test', 'bench'],
    packages: ['aws-cdk-lib'],
  },
  'kernel-engine': {
    folders: ['aws', 'lambdas', 'cdk', 'local', 'cli', 'test', 'bench'],
    packages: ['@aws-sdk/*', '@smithy/*', 'aws-cdk-lib'],
  },
  lambdas: { folders: ['cdk', 'local', 'cli', 'test', 'bench'], packages: ['aws-cdk-lib'] },
  // The names of the workflow are core's; everything else is found by path, as it runs at another time.
  cdk: {
    folders: ['core/(?!workflow/)', 'aws', 'kernel-engine', 'lambdas', 'local', 'cli', 'test', 'bench'],
    packages: ['@aws-sdk/*'],
  },
  local: {
    folders: ['core', 'aws', 'kernel-engine', 'lambdas', 'cdk', 'cli', 'test', 'bench'],
    packages: ['aws-cdk-lib'],
  },
  // The command finds Lambdas only through the embedded cloud, and the embedded cloud only through its front door.
  cli: {
    folders: ['local/(?!start$|fleet/|disks/)', 'kernel-engine', 'lambdas', 'cdk', 'test', 'bench'],
    packages: ['aws-cdk-lib'],
  },
};

const layerRules = Object.entries(layers).map(([layer, { folders, packages }]) => ({
  files: [`${layer}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${folders.map((folder) => (folder.includes('/') ? folder : `${folder}(/|$)`)).join('|')})`,
            message: `${layer}/ may not import from this folder (docs/architecture.md, layers).`,
          },
          ...packages.map((name) => ({
            group: [name],
            message: `${layer}/ may not use ${name} (docs/architecture.md, layers).`,
          })),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['.imageelves*/**', 'dist/**', 'cdk.out/**', 'node_modules/**', 'coverage/**'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 500 }],
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  ...layerRules,
  {
    files: ['core/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', { name: 'process', message: 'core is pure: pass it in.' }] },
  },
  {
    files: ['cli/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', 'kernel-engine/build/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
