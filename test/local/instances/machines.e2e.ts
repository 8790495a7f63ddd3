import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  CreateSnapshotCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  EC2Client,
  GetConsoleOutputCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  type Instance,
} from '@aws-sdk/client-ec2';
import { EBSClient, ListChangedBlocksCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  SendCommandCommand,
  SSMClient,
  type GetCommandInvocationCommandOutput,
} from '@aws-sdk/client-ssm';
import { bootableDisk, ROOT_OFFSET_BYTES } from '../../support/bootable-disk';
import { ServedCloud } from '../../support/served-cloud';

const run = promisify(execFile);

jest.setTimeout(300_000);

let disk: { folder: string; rawFile: string };
let folder: string;
let stateFolder: string;
let server: ServedCloud;
let instanceIds: readonly string[];
let ec2: EC2Client;
let ebs: EBSClient;
let ssm: SSMClient;
let s3: S3Client;

beforeAll(async () => {
  disk = await bootableDisk();
  folder = await mkdtemp(path.join(tmpdir(), 'imageelves-machines-'));
  stateFolder = path.join(folder, 'state');
  await mkdir(path.join(folder, 'site'));
  await writeFile(path.join(folder, 'site/hello'), 'from the repository\n');
  await writeFile(path.join(folder, 'secret'), 'not for machines\n');
  await serve();
});

afterAll(async () => {
  await server.stop('SIGTERM');
  await rm(folder, { recursive: true });
  await rm(disk.folder, { recursive: true });
});

async function serve(): Promise<void> {
  const { rawFile } = disk;
  server = await ServedCloud.start({ stateFolder, rawFile, machines: 2, site: path.join(folder, 'site') });
  instanceIds = server.instanceIds;
  const options = {
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  };
  [ec2, ebs, ssm, s3] = [
    new EC2Client(options),
    new EBSClient(options),
    new SSMClient(options),
    new S3Client(options),
  ];
}

async function describeAll(): Promise<Instance[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap(({ Instances = [] }) => Instances);
}

async function untilState(wanted: string, ids = instanceIds): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const chosen = (await describeAll()).filter(({ InstanceId = '' }) => ids.includes(InstanceId));
    if (chosen.every(({ State }) => State?.Name === wanted)) return;
    await sleep(100);
  }
  throw new Error(
    `Not all became ${wanted}: ${JSON.stringify((await describeAll()).map(({ StateReason }) => StateReason))}`,
  );
}

/** The agent answers some time after the instance is running. */
async function untilOnline(instanceId: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({}));
    if (InstanceInformationList.some(({ InstanceId }) => InstanceId === instanceId)) return;
    await sleep(100);
  }
  throw new Error(`${instanceId} did not come online.`);
}

async function command(
  instanceId: string,
  commands: string[],
  other: { executionTimeout?: string[]; bucket?: string } = {},
): Promise<GetCommandInvocationCommandOutput> {
  const { Command } = await ssm.send(
    new SendCommandCommand({
      DocumentName: 'AWS-RunShellScript',
      InstanceIds: [instanceId],
      Parameters: {
        commands,
        ...(other.executionTimeout ? { executionTimeout: other.executionTimeout } : {}),
      },
      OutputS3BucketName: other.bucket,
      OutputS3KeyPrefix: other.bucket === undefined ? undefined : 'outputs',
    }),
  );
  for (;;) {
    await sleep(200);
    const invocation = await ssm.send(
      new GetCommandInvocationCommand({ CommandId: Command?.CommandId, InstanceId: instanceId }),
    );
    if (invocation.Status !== 'InProgress' && invocation.Status !== 'Pending') return invocation;
  }
}

/** Processes of machines, loop devices on our files, mounts and control groups, as the whole host sees them. */
async function traces(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (instanceIds.some((id) => line.includes(id)))
      found.push(`process ${pid} ${line.replaceAll('\0', ' ')}`);
  }
  const { stdout: loops } = await run('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE']);
  found.push(...loops.split('\n').filter((line) => line.includes(folder)));
  found.push(...(await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(folder)));
  return found;
}

const [first, second] = [() => instanceIds[0] ?? '', () => instanceIds[1] ?? ''];

test('machines boot the systemd of their own volumes, beside each other', async () => {
  await ec2.send(new StartInstancesCommand({ InstanceIds: [...instanceIds] }));
  await untilState('running');
  const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({}));
  expect(InstanceInformationList.map(({ PingStatus }) => PingStatus)).toEqual(['Online', 'Online']);
  for (const id of instanceIds) {
    const seen = await command(id, [
      'cat /proc/1/comm',
      'hostname',
      'systemctl is-active nginx',
      'systemctl is-system-running',
    ]);
    expect({ status: seen.Status, text: seen.StandardOutputContent }).toEqual({
      status: 'Success',
      text: 'systemd\nbootable\nactive\nrunning\n',
    });
  }
});

test('a machine reaches the proxy, and nothing of the host', async () => {
  const download = '/usr/lib/apt/apt-helper download-file';
  const local = await command(first(), [
    `${download} http://repository.local/hello /tmp/hello > /dev/null && cat /tmp/hello`,
  ]);
  expect(local.StandardOutputContent).toBe('from the repository\n');
  const host = await command(first(), [`${download} http://127.0.0.1/ /tmp/host`]);
  expect(host.Status).toBe('Failed');
  const escape = await command(first(), [`${download} http://repository.local/..%2fsecret /tmp/secret`]);
  expect(escape.Status).toBe('Failed');
  const interfaces = await command(first(), ['ls /sys/class/net']);
  expect(interfaces.StandardOutputContent).toBe('lo\n');
});

test('commands end as Run Command says: exit status, time-out, reboot, output in S3', async () => {
  const failed = await command(first(), ['echo out', 'echo err >&2', 'exit 7']);
  expect(failed).toMatchObject({ Status: 'Failed', ResponseCode: 7, StandardOutputContent: 'out\n' });
  expect(failed.StandardErrorContent).toBe('err\nfailed to run commands: exit status 7');

  const slow = await command(first(), ['echo begun', 'sleep 600'], { executionTimeout: ['5'] });
  expect(slow).toMatchObject({ Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut', ResponseCode: 137 });
  const left = await command(first(), ['pgrep -c sleep']);
  expect(left.StandardOutputContent).toBe('0\n');

  await s3.send(new CreateBucketCommand({ Bucket: 'outputs' }));
  const rebooted = await command(
    first(),
    [
      'if [ -e /var/lib/rebooted ]; then echo after; exit 0; fi',
      'touch /var/lib/rebooted /run/before',
      'echo before',
      'exit 194',
    ],
    { bucket: 'outputs' },
  );
  expect(rebooted).toMatchObject({ Status: 'Success', StandardOutputContent: 'before\nafter\n' });
  const key = rebooted.StandardOutputUrl?.split('/outputs/').slice(1).join('/outputs/');
  const stored = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key: key }));
  expect(await stored.Body?.transformToString()).toBe('before\nafter\n');
  const fresh = await command(first(), ['ls /run/before']);
  expect(fresh.Status).toBe('Failed');
});

test('snapshots of a running machine tell which blocks were written between them', async () => {
  const { BlockDeviceMappings } =
    (await describeAll()).find(({ InstanceId }) => InstanceId === first()) ?? {};
  const VolumeId = BlockDeviceMappings?.[0]?.Ebs?.VolumeId;
  await command(first(), ['sync']);
  const before = await snapshot(VolumeId);
  await command(first(), ['dd if=/dev/urandom of=/root/written bs=1M count=2 status=none', 'sync']);
  const after = await snapshot(VolumeId);
  const { Blocks = [] } = await ebs.send(
    new ListSnapshotBlocksCommand({ SnapshotId: after, MaxResults: 10_000 }),
  );
  const { ChangedBlocks = [] } = await ebs.send(
    new ListChangedBlocksCommand({ FirstSnapshotId: before, SecondSnapshotId: after, MaxResults: 10_000 }),
  );
  expect(Blocks.length).toBeGreaterThan(200);
  expect(ChangedBlocks.length).toBeGreaterThanOrEqual(4);
  expect(ChangedBlocks.length).toBeLessThan(60);
});

async function snapshot(VolumeId: string | undefined): Promise<string> {
  // Two snapshots of one volume need some time between them, as on EC2.
  await sleep(1000);
  const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  for (;;) {
    const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
    if (Snapshots[0]?.State === 'completed') break;
    await sleep(200);
  }
  await sleep(500);
  return SnapshotId;
}

test('a stopped machine leaves a clean filesystem', async () => {
  await ec2.send(new StopInstancesCommand({ InstanceIds: [second()] }));
  await untilState('stopped', [second()]);
  const { BlockDeviceMappings } =
    (await describeAll()).find(({ InstanceId }) => InstanceId === second()) ?? {};
  const volumeId = BlockDeviceMappings?.[0]?.Ebs?.VolumeId ?? '';
  // The disks are mounted where the server alone sees them.
  const inside = await childOf(await childOf(server.program.pid ?? 0));
  const file = `/proc/${inside}/root${stateFolder}/disks/volumes/${volumeId}.raw`;
  const { stdout } = await run('e2fsck', ['-fn', `${file}?offset=${ROOT_OFFSET_BYTES}`]);
  expect(stdout).toContain('Pass 5');
  const { Output = '' } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: second() }));
  expect(Buffer.from(Output, 'base64').toString()).toContain('bootable');
});

async function childOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ')[0]);
}

test('a killed server leaves no process, loop device or mount, and its machines come back', async () => {
  expect((await traces()).length).toBeGreaterThan(0);
  await server.stop('SIGKILL');
  await sleep(1500);
  expect(await traces()).toEqual([]);
  await serve();
  await untilState('running', [first()]);
  await untilState('stopped', [second()]);
  await untilOnline(first());
  const back = await command(first(), ['ls /var/lib/rebooted']);
  expect(back.Status).toBe('Success');
});

test('a server that is told to stop shuts its machines down', async () => {
  expect(await server.stop('SIGTERM')).toBe(0);
  expect(await traces()).toEqual([]);
  const events = (await readFile(path.join(stateFolder, 'events.jsonl'), 'utf8')).trim().split('\n');
  expect(events.map((line) => JSON.parse(line) as object)).toContainEqual(
    expect.objectContaining({
      type: 'instance-state',
      instanceId: second(),
      to: 'stopped',
      reason: 'StopInstances',
    }),
  );
});
