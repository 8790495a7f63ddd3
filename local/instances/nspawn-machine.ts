import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, readFile, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttachedDisk } from '../disks/disk-filesystems';
import { mountMachine, unmountMachine } from '../disks/mount-machine';
import { makeControlGroup, removeControlGroup } from './control-group';
import type { RunOptions, RunResult } from './machines';
import { mustRun, runProgram } from './run-program';

const BOOT_TIMEOUT_MS = 90_000;
const POWER_OFF_TIMEOUT_MS = 60_000;
/** Port of the way out, on the machine's own loopback. */
const PROXY_PORT = 3128;

export interface MachinePlace {
  /** Where the root is mounted and machines keep what lives no longer than they: on a tmpfs of the private namespace. */
  readonly runFolder: string;
  readonly consoleLog: string;
  /** Unix socket of the forward proxy. */
  readonly proxySocket: string;
}

/**
 * One real machine: the root volume's own systemd, booted by systemd-nspawn from loop mounts of all its volumes. It has process, mount, host
 * name and network namespaces of its own; its network is a loopback and nothing else, with a proxy behind one port of it.
 */
export class NspawnMachine {
  private container: ChildProcess | undefined;
  private bridge: ChildProcess | undefined;
  private controlGroup: string[] = [];
  private gone: Promise<void> = Promise.resolve();

  constructor(
    readonly instanceId: string,
    private readonly disks: readonly AttachedDisk[],
    private readonly place: MachinePlace,
  ) {}

  private get root(): string {
    return path.join(this.place.runFolder, this.instanceId);
  }

  /** Boots, and resolves when the default target is reached. `onExit` is called whenever the machine goes off. */
  async boot(onExit: () => void): Promise<void> {
    await mkdir(this.root, { recursive: true });
    // In a container systemd leaves the devices of fstab alone: they are mounted from outside.
    const { notMounted } = await mountMachine(this.disks, this.root);
    try {
      for (const { mountPoint, why } of notMounted)
        await appendFile(this.place.consoleLog, `${mountPoint} is not mounted: ${why}\n`);
      await this.start(onExit);
      await this.untilBooted();
      await this.openProxyPort();
    } catch (error) {
      await this.powerOff();
      throw error;
    }
  }

  async run(script: string, options: RunOptions): Promise<RunResult> {
    const leader = await this.leader();
    if (leader === undefined) throw new Error(`The machine ${this.instanceId} is off.`);
    const inside = ['--target', String(leader), '--all', '--'];
    const file = `/run/ssm-command-${Date.now()}`;
    await mustRun('nsenter', [...inside, 'sh', '-c', `umask 077; cat > ${file} && chmod 700 ${file}`], {
      input: script,
    });
    const proxy = `http://127.0.0.1:${PROXY_PORT}`;
    const environment = [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOME=/root',
      'LANG=C.UTF-8',
      `http_proxy=${proxy}`,
      `https_proxy=${proxy}`,
      `AWS_SSM_INSTANCE_ID=${this.instanceId}`,
    ];
    const result = await runProgram(
      'nsenter',
      [...inside, 'env', '-i', ...environment, 'sh', '-c', `cd / && exec ${file}`],
      options,
    );
    await runProgram('nsenter', [...inside, 'rm', '-f', file]);
    return result;
  }

  /** Powers off in an orderly way, by force when that takes too long; the disk is released when this resolves. */
  async powerOff(): Promise<void> {
    const { container } = this;
    if (container && container.exitCode === null && container.signalCode === null) {
      // nspawn passes SIGTERM on as an orderly shutdown of the machine's systemd.
      container.kill('SIGTERM');
      const inTime = await Promise.race([
        this.gone.then(() => true),
        sleep(POWER_OFF_TIMEOUT_MS, false, { ref: false }),
      ]);
      if (!inTime) {
        container.kill('SIGKILL');
        await this.gone;
      }
    }
    await this.release();
  }

  private async start(onExit: () => void): Promise<void> {
    this.controlGroup = await makeControlGroup(this.instanceId);
    const join = 'for group in $GROUPS_TO_JOIN; do echo $$ > $group/cgroup.procs; done; exec "$@"';
    const nspawn = [
      ...['systemd-nspawn', '--quiet', '--boot', '--directory', this.root, '--machine', this.instanceId],
      ...['--register=no', '--keep-unit', '--private-network', '--console=read-only'],
      // Nothing of the host is copied into the volume.
      ...['--resolv-conf=off', '--timezone=off', '--link-journal=no'],
      // What follows is for the machine's systemd.
      ...['--', '--show-status=yes'],
    ];
    const container = spawn('sh', ['-c', join, 'sh', ...nspawn], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], GROUPS_TO_JOIN: this.controlGroup.join(' ') },
    });
    const console = createWriteStream(this.place.consoleLog, { flags: 'a' });
    container.stdout.pipe(console, { end: false });
    container.stderr.pipe(console, { end: false });
    this.container = container;
    this.gone = new Promise((resolve) => {
      const ended = () => {
        console.end();
        resolve();
        onExit();
      };
      container.once('error', ended);
      container.once('exit', ended);
    });
  }

  private async untilBooted(): Promise<void> {
    const end = Date.now() + BOOT_TIMEOUT_MS;
    for (let pause = 50; Date.now() < end; pause = Math.min(pause * 1.5, 1000)) {
      if (!this.container || this.container.exitCode !== null)
        throw new Error(`The machine went off while it booted. Its console: ${this.place.consoleLog}`);
      const leader = await this.leader();
      if (leader !== undefined && (await this.hasBooted(leader))) return;
      await sleep(pause);
    }
    throw new Error(
      `The machine did not boot in ${BOOT_TIMEOUT_MS / 1000} s. Its console: ${this.place.consoleLog}`,
    );
  }

  /** `degraded`, some unit failed, is booted too. */
  private async hasBooted(leader: number): Promise<boolean> {
    const { stdout } = await runProgram(
      'nsenter',
      ['--target', String(leader), '--all', '--', 'systemctl', 'is-system-running'],
      { timeoutMs: 5000 },
    );
    return ['running', 'degraded'].includes(stdout.trim());
  }

  /** The machine's first process, as this namespace numbers it; another one after each reboot. */
  private async leader(): Promise<number | undefined> {
    const pid = this.container?.pid;
    if (pid === undefined) return undefined;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    for (const child of children.split(' ').filter((text) => text !== '')) {
      const status = await readFile(`/proc/${child}/status`, 'utf8').catch(() => '');
      if (/^NSpid:.*\s1$/m.test(status)) return Number(child);
    }
    return undefined;
  }

  private async openProxyPort(): Promise<void> {
    const leader = await this.leader();
    const bridge = spawn(
      'nsenter',
      [
        `--net=/proc/${leader}/ns/net`,
        process.execPath,
        path.join(__dirname, 'port-bridge.mjs'),
        String(PROXY_PORT),
        this.place.proxySocket,
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    this.bridge = bridge;
    await new Promise<void>((resolve, reject) => {
      bridge.stdout.once('data', () => resolve());
      bridge.once('error', reject);
      bridge.once('exit', (code) =>
        reject(new Error(`The machine's proxy port could not be opened (exit ${code}).`)),
      );
    });
  }

  private async release(): Promise<void> {
    this.bridge?.kill();
    this.bridge = undefined;
    this.container = undefined;
    await removeControlGroup(this.controlGroup);
    this.controlGroup = [];
    if ((await runProgram('mountpoint', ['-q', this.root])).exitCode === 0) await unmountMachine(this.root);
    await rmdir(this.root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
