import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartInstancesCommand } from '@aws-sdk/client-ec2';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateDocumentCommand } from '@aws-sdk/client-ssm';
import { createClients } from '../../aws/clients';
import { DocumentStore } from '../../aws/s3/document-store';
import { LeaseStore } from '../../aws/s3/lease-store';
import { S3PackStore } from '../../aws/s3/pack-store';
import type { Services } from '../../aws/services';
import { captureUpdate } from '../../aws/steps/capture-update';
import { checkUpdate, startUpdate } from '../../aws/steps/run-update';
import { snapshotInstance } from '../../aws/steps/snapshot-instance';
import { isOnline } from '../../aws/ssm/run-command';
import type { Manifest } from '../../core/manifest/manifest-schema';
import type { Update } from '../../core/update/update';
import { classKey, manifestKey, membersKey, planKey, targetsKey } from '../../core/workflow/keys';
import { bootableDisk } from '../support/bootable-disk';
import { RECORDER } from '../support/recorder-program';
import { ServedCloud } from '../support/served-cloud';

/**
 * A real machine on which a logger, a timer and a cron job write all the time, before a reboot in the middle of the update
 * and after it. The steps of the workflow record the update, and capture nothing of theirs.
 */
const BUCKET = 'recorded-update';
const classId = 'class';
const NOISE = {
  'etc/systemd/system/logger.service': `[Service]\nExecStart=/bin/sh -c 'while :; do date >> /var/lib/logger.state; date > /etc/logger.new; mv /etc/logger.new /etc/logger.conf; sleep 0.1; done'\n[Install]\nWantedBy=multi-user.target\n`,
  'etc/systemd/system/job.service': `[Service]\nType=oneshot\nExecStart=/bin/sh -c 'date > /etc/timer.state'\n`,
  'etc/systemd/system/job.timer': `[Timer]\nOnBootSec=1\nOnUnitActiveSec=0.5\nAccuracySec=100ms\n[Install]\nWantedBy=timers.target\n`,
  'etc/cron.d/job': `@reboot root while :; do date > /etc/cron.state; mkdir -p /srv/cron; date > /srv/cron/state; sleep 0.2; done\n`,
};
const NOISE_WRITES = [
  '/etc/cron.state',
  '/etc/logger.conf',
  '/etc/timer.state',
  '/srv/cron/state',
  '/var/lib/logger.state',
];
/** A document of one's own, as an update that two steps make. */
const START_NOISE = {
  schemaVersion: '2.2',
  parameters: { units: { type: 'String' } },
  mainSteps: [
    ['units', 'systemctl enable --now {{ units }}'],
    ['cron', 'systemctl restart cron'],
  ].map(([name, runCommand]) => ({
    name,
    action: 'aws:runShellScript',
    inputs: { runCommand: [runCommand] },
  })),
};
const UPDATE = [
  'if [ ! -e /var/lib/app.half ]; then echo half > /var/lib/app.half; echo 1 > /etc/app.first; sleep 1; exit 194; fi',
  'rm /var/lib/app.half; touch /run/app.again',
  // What was written only while nothing was recorded, in the midst of the reboot, is kept with a warning.
  ...NOISE_WRITES.map((file) => `until [ ${file} -nt /run/app.again ]; do sleep 0.1; done`),
  'mkdir /opt/app.new; echo app > /opt/app.new/app; mv /opt/app.new /opt/app',
  'echo "# app" >> /etc/default/cron',
  'chmod 600 /etc/issue',
  // The links are made by systemd, which is no process of the update.
  "printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/app.service",
  'systemctl enable app.service',
  'systemctl restart nginx; sleep 1',
];

jest.setTimeout(300_000);

let disk: { folder: string; rawFile: string };
let folder: string;
let cloud: ServedCloud;
let services: Services;
let instanceId: string;

beforeAll(async () => {
  disk = await bootableDisk(NOISE);
  folder = await mkdtemp(path.join(tmpdir(), 'imageelves-recorded-'));
  const stateFolder = path.join(folder, 'state');
  cloud = await ServedCloud.start({ stateFolder, rawFile: disk.rawFile, machines: 1, site: folder });
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' });
  const clients = createClients(cloud.url);
  await clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const documents = new DocumentStore(clients.s3, BUCKET);
  services = {
    ...clients,
    documents,
    packs: new S3PackStore(clients.s3, BUCKET),
    leases: new LeaseStore(documents),
    now: () => new Date(),
    pause: (milliseconds) => sleep(milliseconds),
  };
  instanceId = cloud.instanceIds[0]!;
  await services.ec2.send(new StartInstancesCommand({ InstanceIds: [instanceId] }));
  while (!(await isOnline(services.ssm, instanceId))) await sleep(200);
  await services.ssm.send(
    new CreateDocumentCommand({
      Name: 'noise',
      Content: JSON.stringify(START_NOISE),
      DocumentType: 'Command',
    }),
  );
  const document = { name: 'noise', parameters: { units: ['logger job.timer'] } };
  await runOnline('noise', { name: 'noise', kind: 'document', document });
});

afterAll(async () => {
  await cloud.stop('SIGTERM');
  await rm(folder, { recursive: true });
  await rm(disk.folder, { recursive: true });
});

async function until<T extends { readonly done: boolean }>(step: () => Promise<T>): Promise<T> {
  for (;;) {
    const output = await step();
    if (output.done) return output;
    await sleep(200);
  }
}

async function runOnline(run: string, update: Update, recorder = RECORDER): Promise<void> {
  await services.documents.write(planKey(run), { settings: { update } });
  const machine = { run, classId, instanceId };
  const { commandId } = await startUpdate(services, machine, recorder);
  await until(() => checkUpdate(services, { ...machine, commandId }));
}

async function captured(run: string, commands: string[], recorder = RECORDER): Promise<Manifest> {
  const { documents } = services;
  const machine = { run, classId, instanceId };
  const [representative, members] = [{ instanceId, kind: 'live' }, membersKey(run, 1, classId)];
  await documents.write(classKey(run, classId), { run, round: 1, representative, membersKey: members });
  for (const key of [members, targetsKey(run)]) await documents.writeLines(key, []);
  await until(() => snapshotInstance(services, { ...machine, purpose: 'before' }));
  await runOnline(run, { name: 'app', kind: 'script', commands }, recorder);
  await until(() => snapshotInstance(services, { ...machine, purpose: 'after' }));
  await captureUpdate(services, machine);
  return documents.read<Manifest>(manifestKey(run, classId));
}

const operationsOf = ({ operations }: Manifest): string[] =>
  operations.map(({ kind, path: at }) => `${kind} ${at}`);

test('of an update with a reboot in it everything is captured, and nothing of a logger, a timer and a cron job', async () => {
  const manifest = await captured('reboot', UPDATE);
  expect(manifest.recording).toEqual({ method: 'fanotify', whole: true, warnings: [] });
  expect(operationsOf(manifest)).toEqual([
    'make-directory /opt/app',
    'put-file /etc/app.first',
    'put-file /etc/default/cron',
    'put-file /etc/systemd/system/app.service',
    'make-symlink /etc/systemd/system/multi-user.target.wants/app.service',
    'put-file /opt/app/app',
    'set-metadata /etc/issue',
  ]);
  const others = manifest.leftOut.paths.filter(({ reason }) =>
    reason.startsWith('changed by another process'),
  );
  expect(others.map(({ path: at }) => at)).toEqual(expect.arrayContaining(NOISE_WRITES));
});

test('when the queue of events overflowed the snapshots decide alone, and the manifest says so', async () => {
  // The queue of the kernel's default, 16384 events, that nobody reads meanwhile.
  const limited = RECORDER.replace('unlimited, only_check = True', 'unlimited, only_check = False');
  expect(limited).not.toBe(RECORDER);
  const fill = 'mkdir /root/many; cd /root/many; seq 20000 | xargs touch; rm -r /root/many';
  const overflow = ['kill -STOP $PPID', fill, 'kill -CONT $PPID; sleep 0.5', 'echo 1 > /etc/app.second'];
  const manifest = await captured('overflow', overflow, limited);
  expect(manifest.recording).toMatchObject({
    whole: false,
    warnings: [expect.stringContaining('overflowed')],
  });
  expect(manifest.warnings).toContainEqual(
    expect.stringMatching(/The difference of the snapshots decided alone.*overflowed/),
  );
  expect(operationsOf(manifest)).toEqual(
    expect.arrayContaining(['put-file /etc/app.second', 'put-file /etc/logger.conf']),
  );
});
