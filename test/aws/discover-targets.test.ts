import type { Instance, Volume } from '@aws-sdk/client-ec2';
import { discoverTargets } from '../../aws/ec2/discover-targets';
import { exclusionReason } from '../../aws/ec2/exclusion';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addMachine } from '../support/test-machines';

describe('exclusionReason', () => {
  const instance: Instance = {
    InstanceId: 'i-1',
    State: { Name: 'stopped' },
    RootDeviceType: 'ebs',
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-1', Status: 'attached' } }],
  };
  const volume: Volume = { VolumeId: 'vol-1', State: 'in-use', Attachments: [{ InstanceId: 'i-1' }] };
  const reason = (change: Partial<Instance>, volumeChange: Partial<Volume> = {}): string | undefined =>
    exclusionReason({ ...instance, ...change }, new Map([['vol-1', { ...volume, ...volumeChange }]]));

  test('a stopped or running Linux instance with its root on EBS is a target', () => {
    expect(reason({})).toBeUndefined();
    expect(
      reason({ State: { Name: 'running' }, ProductCodes: [], HibernationOptions: { Configured: false } }),
    ).toBeUndefined();
  });

  const tags = (count: number) => Array.from({ length: count }, (_, at) => ({ Key: `tag-${at}`, Value: '' }));

  test('tags that a run or AWS has put on a volume, and those of a running machine, are no hindrance', () => {
    const others = ['aws:cloudformation:stack-id', 'imageelves:run', 'imageelves:instance'];
    const all = [...tags(45), ...others.map((Key) => ({ Key, Value: '' }))];
    expect(reason({}, { Tags: all })).toBeUndefined();
    expect(reason({ State: { Name: 'running' } }, { Tags: tags(50) })).toBeUndefined();
  });

  const cases: readonly (readonly [RegExp, Partial<Instance>, Partial<Volume>?])[] = [
    [/clone/, { Tags: [{ Key: 'imageelves:purpose', Value: 'clone' }] }],
    [/neither running nor stopped/, { State: { Name: 'terminated' } }],
    [/neither running nor stopped/, { State: { Name: 'stopping' } }],
    [/not an EBS volume/, { RootDeviceType: 'instance-store' }],
    [/Windows/, { Platform: 'Windows' as never }],
    [/Windows/, { PlatformDetails: 'Windows with SQL Server' }],
    [/managed by an AWS service/, { Operator: { Managed: true } }],
    [/marketplace/, { ProductCodes: [{ ProductCodeId: 'x', ProductCodeType: 'marketplace' }] }],
    [/hibernation/, { HibernationOptions: { Configured: true } }],
    [/Spot/, { InstanceLifecycle: 'spot' }],
    [/Outpost/, { OutpostArn: 'arn:x' }],
    [/no volume/, { BlockDeviceMappings: [] }],
    [/no volume/, { BlockDeviceMappings: undefined }],
    [
      /more than one volume/,
      { BlockDeviceMappings: [...instance.BlockDeviceMappings!, ...instance.BlockDeviceMappings!] },
    ],
    [
      /attached or detached/,
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-1', Status: 'detaching' } }] },
    ],
    [/attached or detached/, {}, { State: 'creating' }],
    [/so many tags/, {}, { Tags: tags(46) }],
    [/several instances/, {}, { Attachments: [{ InstanceId: 'i-1' }, { InstanceId: 'i-2' }] }],
  ];
  const named = cases.map(([expected, change, volumeChange = {}]) => ({ expected, change, volumeChange }));
  test.each(named)('$expected', ({ expected, change, volumeChange }) => {
    expect(reason(change, volumeChange)).toMatch(expected);
  });
});

describe('discoverTargets', () => {
  let services: TestServices;
  beforeEach(async () => {
    services = await startTestServices();
  });
  afterEach(() => services.close());

  const names = async (targets: Parameters<typeof discoverTargets>[1]): Promise<string[]> =>
    (await discoverTargets(services.ec2, targets)).targets.map(({ name }) => name).sort();

  test('finds by all tags, by any value of each, and by either spelling of the patch group', async () => {
    await addMachine(services, { name: 'a', tags: { 'Patch Group': 'web', Stage: 'prod' } });
    await addMachine(services, { name: 'b', tags: { PatchGroup: 'db', Stage: 'prod' } });
    await addMachine(services, { name: 'c', tags: { PatchGroup: 'web', Stage: 'test' } });
    expect(await names({ tags: { PatchGroup: 'web' } })).toEqual(['a', 'c']);
    expect(await names({ tags: { 'Patch Group': ['web', 'db'], Stage: 'prod' } })).toEqual(['a', 'b']);
    expect(await names({ tags: { PatchGroup: 'none' } })).toEqual([]);
  });

  test('takes those named by id besides, and tells of ids that are nobody', async () => {
    await addMachine(services, { name: 'tagged', tags: { PatchGroup: 'web' } });
    const named = await addMachine(services, { name: 'named' });
    const targets = { tags: { PatchGroup: 'web' }, instanceIds: [named.instanceId, 'i-0123456789abcdef0'] };
    expect(await names(targets)).toEqual(['named', 'tagged']);
    expect((await discoverTargets(services.ec2, targets)).excluded).toEqual([
      { instanceId: 'i-0123456789abcdef0', name: '', reason: expect.stringContaining('no such instance') },
    ]);
  });

  test('goes through all pages, and through more ids than a filter takes', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 230; at += 1) {
      ids.push((await addMachine(services, { name: `m${at}`, tags: { PatchGroup: 'big' } })).instanceId);
    }
    expect((await discoverTargets(services.ec2, { tags: { PatchGroup: 'big' } })).targets).toHaveLength(230);
    expect((await discoverTargets(services.ec2, { instanceIds: ids })).targets).toHaveLength(230);
  }, 30_000);

  test('keeps what a new volume must be like', async () => {
    const { instanceId, volumeId } = await addMachine(services, { name: 'a' });
    const { targets } = await discoverTargets(services.ec2, { instanceIds: [instanceId] });
    expect(targets[0]).toMatchObject({
      instanceId,
      state: 'stopped',
      rootDeviceName: '/dev/xvda',
      volumes: [
        {
          volumeId,
          deviceName: '/dev/xvda',
          isRoot: true,
          deleteOnTermination: true,
          attributes: { type: 'gp3', sizeGib: 1, iops: 3000, throughput: 125, encrypted: false },
        },
      ],
    });
  });
});
