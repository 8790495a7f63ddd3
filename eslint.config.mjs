import tseslint from 'typescript-eslint';

/** Who may import whom (docs/architecture.md). A file that breaks a layer fails the lint. */
const layers = {
  core: {
    folders: ['aws', 'lambdas', 'cdk', 'local', 'cli', 'test', 'bench'],
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
  aws: { folders: ['lambdas', 'cdk', 'local', 'cli', 'test', 'bench'], packages: ['aws-cdk-lib'] },
  lambdas: { folders: ['cdk', 'local', 'cli', 'test', 'bench'], packages: ['aws-cdk-lib'] },
  cdk: { folders: ['aws', 'lambdas', 'local', 'cli', 'test', 'bench'], packages: ['@aws-sdk/*'] },
  local: { folders: ['core', 'aws', 'lambdas', 'cdk', 'cli', 'test', 'bench'], packages: ['aws-cdk-lib'] },
  cli: { folders: ['lambdas', 'cdk', 'test', 'bench'], packages: ['aws-cdk-lib'] },
};

const layerRules = Object.entries(layers).map(([layer, { folders, packages }]) => ({
  files: [`${layer}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${folders.join('|')})(/|$)`,
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
  { ignores: ['dist/**', 'cdk.out/**', 'node_modules/**', 'coverage/**'] },
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
    files: ['cdk/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./)+core/(?!workflow(/|$))',
              message: 'cdk/ takes only names from core/workflow.',
            },
            {
              regex: '^(\\.\\./)+(aws|lambdas|local|cli|test|bench)(/|$)',
              message: 'cdk/ finds everything else by path (docs/architecture.md, layers).',
            },
            { group: ['@aws-sdk/*'], message: 'cdk/ runs at synth time only.' },
          ],
        },
      ],
    },
  },
  {
    // The command finds Lambdas only through the embedded cloud, and the embedded cloud only through its front door.
    files: ['cli/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./)+local/(?!start$|fleet/)',
              message: 'cli/ takes of the embedded cloud only local/start and local/fleet.',
            },
            {
              regex: '^(\\.\\./)+(lambdas|cdk|test|bench)(/|$)',
              message: 'cli/ may not import from this folder.',
            },
          ],
        },
      ],
    },
  },
  { files: ['cli/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'], rules: { 'no-console': 'off' } },
);
