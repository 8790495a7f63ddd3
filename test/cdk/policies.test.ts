import { Update } from '../../cdk/index';
import { type Step, STEPS } from '../../core/workflow/steps';
import { type Permission, permissionsOf, rolesOfSteps } from '../support/policies';
import { cloneNetwork, synthesized } from '../support/synthesized';

const updates = {
  security: Update.packages('security'),
  baseline: Update.document('AWS-RunPatchBaseline', { parameters: { Operation: ['Install'] } }),
  harden: Update.document('harden-web', { version: '3' }),
  agent: Update.document('AmazonCloudWatch-ManageAgent', { parameters: { action: ['configure'] } }),
  shared: Update.document('arn:aws:ssm:eu-west-1:111122223333:document/shared'),
};
const template = synthesized((stack) => ({ clones: cloneNetwork(stack), updates }));
const permissions = permissionsOf(template);
const stepOfRole = rolesOfSteps(template, STEPS);
const stepsWith = (action: string): string[] =>
  [
    ...new Set(
      permissions.filter((one) => one.action === action).map(({ role }) => stepOfRole.get(role) ?? role),
    ),
  ].sort();
const show = ({ action, resource, condition }: Permission): string => `${action} on ${resource} ${condition}`;

const ARN = 'arn:<AWS::Partition>:';
const EC2 = `${ARN}ec2:<AWS::Region>:`;

/**
 * Every `*` in a resource must be one of these. `condition` must then stand in the permission: what AWS offers to
 * narrow the wildcard.
 */
const JUSTIFIED: { actions: RegExp; resource: RegExp; condition?: RegExp; why: string }[] = [
  { actions: /^ec2:Describe/, resource: /^\*$/, why: 'Describe actions of EC2 know no resources' },
  {
    actions:
      /^ssm:(GetCommandInvocation|ListCommandInvocations|ListCommands|DescribeInstanceInformation|PutComplianceItems)$/,
    resource: /^\*$/,
    why: 'know no resources',
  },
  { actions: /^xray:(Put|Get)/, resource: /^\*$/, why: 'X-Ray knows no resources' },
  { actions: /^logs:/, resource: /^\*$/, why: 'log delivery of Step Functions knows no resources' },
  {
    actions: /^s3:/,
    resource: /^<ImageElvesRuns\w+.Arn>\/(runs|packs|leases|memory|housekeeping)\/\*/,
    why: 'keys under one prefix',
  },
  {
    actions: /^states:/,
    resource: /:execution:<ImageElves\w+.Name>(:|\/\*:)\*$/,
    why: 'executions of one machine',
  },
  { actions: /^ec2:CreateSnapshot$/, resource: /:volume\/\*$/, why: 'any instance may be a target' },
  {
    actions: /^ec2:(At|De)tachVolume$/,
    resource: /:(instance|volume)\/\*$/,
    why: 'any instance may be a target',
  },
  {
    actions: /^ec2:ModifyInstanceAttribute$/,
    resource: /:instance\/\*$/,
    why: 'any instance may be a target',
  },
  { actions: /^ssm:SendCommand$/, resource: /:instance\/\*$/, why: 'any instance may be a representative' },
  {
    actions: /^ec2:(CreateSnapshot|CreateVolume|DeleteSnapshot|RegisterImage|RunInstances)$|^ebs:/,
    resource: /:(snapshot|volume)\/\*$/,
    condition: /aws:(Request|Resource)Tag\/imageelves:/,
    why: 'AWS chooses the id',
  },
  {
    actions: /^ec2:(RegisterImage|RunInstances|TerminateInstances|DeregisterImage)$/,
    resource: /:(image|instance)\/\*$/,
    condition: /aws:(Request|Resource)Tag\/imageelves:purpose":"clone"/,
    why: 'AWS chooses the id',
  },
  {
    actions: /^ec2:DeleteVolume$/,
    resource: /:volume\/\*$/,
    condition:
      /"aws:ResourceTag\/imageelves:run":"\?\*".*("Null":\{"aws:ResourceTag\/imageelves:retain-until":"false"|"aws:ResourceTag\/imageelves:purpose":"patched")/,
    why: 'AWS chooses the id: volumes that a swap has put out of use, or that a run has made',
  },
  {
    actions: /^ec2:RunInstances$/,
    resource: /:network-interface\/\*$/,
    condition: /ec2:Subnet/,
    why: 'AWS chooses the id',
  },
  {
    actions: /^ec2:(Create|Delete)Tags$/,
    resource: /\/\*$/,
    condition:
      /ec2:CreateAction|aws:TagKeys":\["imageelves:(\*|replaced-by","imageelves:retain-until)"\]|aws:ResourceTag\/imageelves:run":"true"/,
    why: 'tags in the call that makes the resource, or tags of ours only',
  },
  {
    actions: /^kms:/,
    resource: /:key\/\*$/,
    condition: /kms:ViaService/,
    why: 'keys of the volumes, through EC2',
  },
];

test('no action is a wildcard', () => {
  expect(permissions.length).toBeGreaterThan(200);
  expect(permissions.filter(({ action }) => action.includes('*')).map(show)).toEqual([]);
});

test('every wildcard in a resource is justified, and narrowed as far as AWS can', () => {
  const unjustified = permissions
    .filter(({ resource }) => resource.includes('*'))
    .filter(
      ({ action, resource, condition }) =>
        !JUSTIFIED.some(
          (one) =>
            one.actions.test(action) &&
            one.resource.test(resource) &&
            (one.condition ?? /(?:)/).test(condition),
        ),
    );
  expect(unjustified.map(show)).toEqual([]);
});

test('no justification has outlived its wildcard', () => {
  const unused = JUSTIFIED.filter(
    ({ actions, resource }) =>
      !permissions.some((one) => actions.test(one.action) && resource.test(one.resource)),
  );
  expect(unused).toEqual([]);
});

test('what removes something is bound by a tag that only runs give', () => {
  const removing = permissions.filter(({ action }) =>
    /^(?!logs:)\w+:(Delete(?!Tags)|Terminate|Deregister)/.test(action),
  );
  expect([...new Set(removing.map(({ action }) => action))].sort()).toEqual([
    'ec2:DeleteSnapshot',
    'ec2:DeleteVolume',
    'ec2:DeregisterImage',
    'ec2:TerminateInstances',
  ]);
  for (const { condition } of removing) expect(condition).toMatch(/aws:ResourceTag\/imageelves:/);
});

test('nobody may delete an object, start or stop an instance', () => {
  for (const action of [
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    'ec2:StartInstances',
    'ec2:StopInstances',
  ]) {
    expect([action, stepsWith(action)]).toEqual([action, []]);
  }
});

test.each([
  ['ec2:AttachVolume', ['swap-volume']],
  ['ec2:DetachVolume', ['swap-volume']],
  ['ec2:CreateVolume', ['create-volume']],
  ['ebs:PutSnapshotBlock', ['apply-manifest', 'launch-clone']],
  ['ec2:RunInstances', ['launch-clone']],
  ['iam:PassRole', ['launch-clone']],
  ['ec2:TerminateInstances', ['clean-up-run', 'sweep-runs', 'terminate-clone']],
  ['ec2:DeleteSnapshot', ['clean-up-run', 'sweep-runs']],
  ['ec2:DeleteVolume', ['prune-volumes', 'sweep-runs']],
])('%s is allowed to %j only', (action, steps) => expect(stepsWith(action)).toEqual(steps));

test('commands are sent by the documents that the updates name, and by no other', () => {
  const documents = permissions.filter(
    ({ action, resource }) => action === 'ssm:SendCommand' && resource.includes(':document/'),
  );
  expect([...new Set(documents.map(({ resource }) => resource))].sort()).toEqual([
    'arn:<AWS::Partition>:ssm:<AWS::Region>::document/AWS-RunPatchBaseline',
    'arn:<AWS::Partition>:ssm:<AWS::Region>::document/AWS-RunShellScript',
    'arn:<AWS::Partition>:ssm:<AWS::Region>::document/AmazonCloudWatch-ManageAgent',
    'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:document/harden-web',
    'arn:aws:ssm:eu-west-1:111122223333:document/shared',
  ]);
});

/** No step of a run may: old volumes are the way back. Those of the housekeeping may each delete their own kind only. */
test('volumes are deleted by their tags: out of use by the prune, made and never used by the sweep', () => {
  const deleting = permissions.filter(({ action }) => action === 'ec2:DeleteVolume');
  const conditions = Object.fromEntries(
    deleting.map(({ role, condition }) => [stepOfRole.get(role), JSON.parse(condition) as unknown]),
  );
  const StringLike = { 'aws:ResourceTag/imageelves:run': '?*' };
  expect(conditions).toEqual({
    'prune-volumes': { StringLike, Null: { 'aws:ResourceTag/imageelves:retain-until': 'false' } },
    'sweep-runs': {
      StringLike,
      StringEquals: { 'aws:ResourceTag/imageelves:purpose': 'patched' },
      Null: { 'aws:ResourceTag/imageelves:retain-until': 'true' },
    },
  });
});

test('no step deletes a snapshot that may be a backup of a machine', () => {
  const deleting = permissions.filter(({ action }) => action === 'ec2:DeleteSnapshot');
  for (const { condition } of deleting) expect(condition).toContain('ResourceTag/imageelves:volume":"?*"');
});

test('the housekeeping reads the documents of runs, and writes its own only', () => {
  const written = permissions
    .filter(({ role }) => ['prune-volumes', 'sweep-runs'].includes(stepOfRole.get(role) ?? ''))
    .filter(({ action }) => action === 's3:PutObject')
    .map(({ resource }) => resource.split('/').slice(1).join('/'));
  expect([...new Set(written)].sort()).toEqual(['housekeeping/*', 'leases/*']);
});

test('the role of clones can be passed to EC2 only, and no other role at all', () => {
  const passing = permissions.filter(({ action }) => action === 'iam:PassRole');
  expect(passing).toHaveLength(1);
  expect(passing[0]?.resource).toMatch(/^<ImageElvesClonesRole\w+.Arn>$/);
  expect(passing[0]?.condition).toContain('"iam:PassedToService":"ec2.amazonaws.com"');
});

test('a step without needs in AWS has none', () => {
  const own = (name: string): string[] =>
    permissions
      .filter(({ role }) => stepOfRole.get(role) === name)
      .map(({ action }) => action.split(':')[0] as string);
  for (const { name, needs } of STEPS as readonly Step[]) {
    if (needs.join() !== 'documents') continue;
    expect([name, [...new Set(own(name))].sort()]).toEqual([name, ['kms', 'logs', 's3', 'xray']]);
  }
});

test('snapshots are addressed without an account, volumes and instances with one', () => {
  for (const { resource } of permissions.filter((one) => one.resource.startsWith(EC2))) {
    const owned = /:(instance|volume|network-interface|subnet|security-group)\//.test(resource);
    expect(resource.startsWith(owned ? `${EC2}<AWS::AccountId>:` : `${EC2}:`)).toBe(true);
  }
});

test('given keys of volumes replace the wildcard', () => {
  const given = permissionsOf(synthesized(() => ({ volumeKeys: [] })));
  expect(given.filter(({ resource }) => resource.includes(':key/*'))).toEqual([]);
});
