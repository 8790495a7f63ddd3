import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** The layers of docs/architecture.md are kept by the lint. These snippets show that it would notice. */
const root = path.join(__dirname, '..', '..');

const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'core/image/x.ts': [
    '../../aws/clients',
    '../../kernel-engine/nbd/nbd-server',
    '../../lambdas/plan-run',
    '../../cdk/index',
    '../../local/start',
    '../../cli/demo',
    '../../test/support/pipeline',
    '../../bench/run',
    '@aws-sdk/client-ebs',
    '@smithy/core',
    'aws-cdk-lib',
    'aws-cdk-lib/aws-s3',
    'node:fs',
    'node:fs/promises',
    'node:child_process',
    'node:http',
    'node:net',
  ],
  'aws/steps/x.ts': [
    '../../kernel-engine/nbd/nbd-server',
    '../../lambdas/plan-run',
    '../../cdk/index',
    '../../local/start',
    '../../cli/demo',
    'aws-cdk-lib',
  ],
  'kernel-engine/nbd/x.ts': [
    '../../aws/clients',
    '../../lambdas/plan-run',
    '../../cdk/index',
    '../../local/start',
    '../../cli/demo',
    '@aws-sdk/client-ebs',
    'aws-cdk-lib',
  ],
  'lambdas/x.ts': ['../cdk/index', '../local/start', '../cli/demo', 'aws-cdk-lib'],
  'cdk/constructs/x.ts': [
    '../../core/image/image',
    '../../aws/clients',
    '../../kernel-engine/nbd/nbd-server',
    '../../lambdas/plan-run',
    '../../local/start',
    '../../cli/demo',
    '@aws-sdk/client-s3',
  ],
  'local/ec2/x.ts': [
    '../../core/errors',
    '../../aws/clients',
    '../../kernel-engine/nbd/nbd-server',
    '../../lambdas/plan-run',
    '../../cdk/index',
    '../../cli/demo',
    'aws-cdk-lib',
  ],
  'cli/run/x.ts': [
    '../../kernel-engine/nbd/nbd-server',
    '../../lambdas/plan-run',
    '../../cdk/index',
    '../../local/ec2',
    'aws-cdk-lib',
  ],
};

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'core/image/x.ts': ['../filesystem/filesystem', 'node:crypto', 'node:zlib', '@sinclair/typebox'],
  'aws/steps/x.ts': ['../../core/errors', '../ec2/tags', '@aws-sdk/client-ebs'],
  'kernel-engine/nbd/x.ts': ['../../core/errors', '../guest/console', 'node:net', 'node:child_process'],
  'lambdas/x.ts': ['../core/errors', '../aws/clients', '../kernel-engine/nbd/nbd-server', './runtime/step'],
  'cdk/constructs/x.ts': ['../../core/workflow/steps', '../update', 'aws-cdk-lib/aws-s3'],
  'local/ec2/x.ts': ['../state', '@aws-sdk/client-ec2', 'node:fs/promises'],
  'cli/run/x.ts': [
    '../../core/report/report',
    '../../aws/clients',
    '../../local/start',
    '../../local/fleet/requirements',
  ],
};

const imports = (files: Readonly<Record<string, readonly string[]>>): Snippet[] =>
  Object.entries(files).flatMap(([file, names]) =>
    names.map((name) => ({
      file,
      code: `import * as x from '${name}';\nexport const y = x;\n`,
      what: `imports ${name}`,
    })),
  );

interface Snippet {
  readonly file: string;
  readonly code: string;
  readonly what: string;
}

const SNIPPETS: readonly (Snippet & { readonly breaks: readonly string[] })[] = [
  ...imports(FORBIDDEN).map((snippet) => ({ ...snippet, breaks: ['no-restricted-imports'] })),
  ...imports(ALLOWED).map((snippet) => ({ ...snippet, breaks: [] })),
  {
    file: 'core/image/x.ts',
    code: "export const home = process.env['HOME'];\n",
    what: 'looks at the process',
    breaks: ['no-restricted-globals'],
  },
  { file: 'aws/steps/x.ts', code: "console.log('x');\n", what: 'prints', breaks: ['no-console'] },
];

let broken: string[][];
beforeAll(() => {
  const program = path.join(root, 'test', 'support', 'lint-snippets.mjs');
  const output = execFileSync(process.execPath, [program], { cwd: root, input: JSON.stringify(SNIPPETS) });
  broken = JSON.parse(output.toString()) as string[][];
}, 60_000);

test.each(SNIPPETS.map((snippet, at) => ({ ...snippet, at, verdict: snippet.breaks.join() || 'nothing' })))(
  '$file that $what breaks $verdict',
  ({ at, breaks }) => expect([...new Set(broken[at])]).toEqual(breaks),
);
