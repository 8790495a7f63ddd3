import { mkdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import path from 'node:path';
import { removeStaleControlGroups } from './control-group';
import { createForwardProxy, type ForwardProxyOptions } from './forward-proxy';
import type { Machines, MachineToBoot, RunOptions, RunResult } from './machines';
import { NspawnMachine } from './nspawn-machine';
import { requirePrivateNamespace } from './private-namespace';
import { mustRun } from './run-program';

const RUN_FOLDER = '/run/imageelves';
/** nspawn keeps state of its own there; a tmpfs over it keeps the host's clean. */
const NSPAWN_FOLDER = '/run/systemd/nspawn';

export interface NspawnMachinesOptions extends ForwardProxyOptions {
  /** Where console logs are kept. */
  readonly consoleFolder: string;
}

/** Real machines, each booted by systemd-nspawn; see `NspawnMachine`. */
export class NspawnMachines implements Machines {
  private readonly machines = new Map<string, NspawnMachine>();
  /** Machines that have reached their default target and were not told to go off. */
  private readonly on = new Set<string>();
  private readonly listeners: ((instanceId: string) => void)[] = [];

  private constructor(
    private readonly options: NspawnMachinesOptions,
    private readonly proxy: Server,
    private readonly proxySocket: string,
  ) {}

  /** @throws PrivateNamespaceNeededError */
  static async open(options: NspawnMachinesOptions): Promise<NspawnMachines> {
    requirePrivateNamespace('Booting machines');
    for (const folder of [RUN_FOLDER, NSPAWN_FOLDER]) {
      await mkdir(folder, { recursive: true });
      await mustRun('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'imageelves', folder]);
    }
    await removeStaleControlGroups();
    await mkdir(options.consoleFolder, { recursive: true });
    const proxy = createForwardProxy(options);
    const proxySocket = path.join(RUN_FOLDER, 'proxy.sock');
    await new Promise<void>((resolve, reject) => {
      proxy.once('error', reject);
      proxy.listen(proxySocket, resolve);
    });
    return new NspawnMachines(options, proxy, proxySocket);
  }

  async boot({ instanceId, disks }: MachineToBoot): Promise<void> {
    const machine = new NspawnMachine(instanceId, disks, {
      runFolder: RUN_FOLDER,
      consoleLog: this.consoleLog(instanceId),
      proxySocket: this.proxySocket,
    });
    this.machines.set(instanceId, machine);
    try {
      await machine.boot(() => void this.wentOff(machine));
      this.on.add(instanceId);
    } catch (error) {
      this.machines.delete(instanceId);
      throw error;
    }
  }

  async shutDown(instanceId: string): Promise<void> {
    const machine = this.machines.get(instanceId);
    if (!machine) return;
    this.on.delete(instanceId);
    try {
      await machine.powerOff();
    } finally {
      this.machines.delete(instanceId);
    }
  }

  async run(instanceId: string, script: string, options: RunOptions): Promise<RunResult> {
    const machine = this.machines.get(instanceId);
    if (!machine) throw new Error(`The machine ${instanceId} is off.`);
    return machine.run(script, options);
  }

  isBooted(instanceId: string): boolean {
    return this.on.has(instanceId);
  }

  async consoleOutput(instanceId: string): Promise<string> {
    return readFile(this.consoleLog(instanceId), 'utf8').catch(() => '');
  }

  onPowerOff(listener: (instanceId: string) => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    await Promise.all([...this.machines.keys()].map((instanceId) => this.shutDown(instanceId)));
    this.proxy.closeAllConnections();
    await new Promise<void>((resolve) => this.proxy.close(() => resolve()));
  }

  private async wentOff(machine: NspawnMachine): Promise<void> {
    const { instanceId } = machine;
    if (!this.on.has(instanceId) || this.machines.get(instanceId) !== machine) return;
    await this.shutDown(instanceId);
    for (const listener of this.listeners) listener(instanceId);
  }

  private consoleLog(instanceId: string): string {
    return path.join(this.options.consoleFolder, `${instanceId}.log`);
  }
}
