import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartInstancesCommand } from '@aws-sdk/client-ec2';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
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
import { classKey, manifestKey, membersKey, planKey, targetsKey } from '../../core/workflow/keys';
import { bootableDisk } from '../support/bootable-disk';
import { RECORDER } from '../support/recorder-program';
import { ServedCloud } from '../support/served-cloud';

/**
 * A real machine on which a logger, a timer and a cron job write all the time, before a reboot in the middle of the update
 * and after it. The steps of the workflow record the update, and capture nothing of theirs.
 */
const BUCKET = 'recorded-update';
const [run, classId] = ['run', 'class'];
const NOISE = {
  'etc/systemd/system/logger.service': `[Service]\nExecStart=/bin/sh -c 'while :; do date >> /var/lib/logger.state; date > /etc/logger.new; mv /etc/logger.new /etc/logger.conf; sleep 0.1; done'\n[Install]\nWantedBy=multi-user.target\n`,
  'etc/systemd/system/job.service': `[Service]\nType=oneshot\nExecStart=/bin/sh -c 'date > /etc/timer.state'\n`,
  'etc/systemd/system/job.timer': `[Timer]\nOnBootSec=1\nOnUnitActiveSec=0.5\nAccuracySec=100ms\n[Install]\nWantedBy=timers.target\n`,
  'etc/cron.d/job': `@reboot root while :; do date > /etc/cron.state; mkdir -p /srv/cron; date > /srv/cron/state; sleep 0.2; done\n`,
};
const UPDATE = [
  'if [ ! -e /var/lib/app.half ]; then echo half > /var/lib/app.half; echo 1 > /etc/app.first; sleep 1; exit 194; fi',
  'rm /var/lib/app.half; sleep 1',
  'mkdir /opt/app.new; echo app > /opt/app.new/app; mv /opt/app.new /opt/app',
  'echo "# app" >> /etc/default/cron',
  'chmod 600 /etc/issue',
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
  const representative = { instanceId, kind: 'live' };
  await documents.write(classKey(run, classId), {
    run,
    representative,
    membersKey: membersKey(run, 1, classId),
  });
  await documents.writeLines(membersKey(run, 1, classId), []);
  await documents.writeLines(targetsKey(run), []);
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

async function runOnline(classOfUpdate: string, commands: readonly string[]): Promise<void> {
  const update = { name: 'app', kind: 'script', commands };
  await services.documents.write(planKey(run), { settings: { update } });
  const machine = { run, classId: classOfUpdate, instanceId };
  const { commandId } = await startUpdate(services, machine, RECORDER);
  await until(() => checkUpdate(services, { ...machine, commandId }));
}

test('of an update with a reboot in it everything is captured, and nothing of a logger, a timer and a cron job', async () => {
  await runOnline('noise', ['systemctl enable --now logger job.timer', 'systemctl restart cron']);
  const machine = { run, classId, instanceId };
  await until(() => snapshotInstance(services, { ...machine, purpose: 'before' }));
  await runOnline(classId, UPDATE);
  await until(() => snapshotInstance(services, { ...machine, purpose: 'after' }));
  await captureUpdate(services, machine);
  const manifest = await services.documents.read<Manifest>(manifestKey(run, classId));
  expect(manifest.recording).toEqual({ method: 'fanotify', whole: true, warnings: [] });
  expect(manifest.operations.map(({ kind, path: at }) => `${kind} ${at}`)).toEqual([
    'make-directory /opt/app',
    'put-file /etc/app.first',
    'put-file /etc/default/cron',
    'put-file /opt/app/app',
    'set-metadata /etc/issue',
  ]);
  const others = manifest.leftOut.paths.filter(({ reason }) =>
    reason.startsWith('changed by another process'),
  );
  expect(others.map(({ path: at }) => at)).toEqual(
    expect.arrayContaining([
      '/etc/cron.state',
      '/etc/logger.conf',
      '/etc/timer.state',
      '/srv/cron/state',
      '/var/lib/logger.state',
    ]),
  );
});
