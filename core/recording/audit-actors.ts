import type { Actor } from './recording';

/**
 * Programs by which an update has a service manager start something outside of its own process tree; the same as in
 * recorder/actors.py.
 */
export const SERVICE_CLIENTS: ReadonlySet<string> = new Set([
  ...['systemctl', 'systemd-run', 'service', 'invoke-rc.d', 'deb-systemd-invoke', 'busctl', 'dbus-send'],
  ...['initctl', 'telinit', 'udevadm'],
]);

const SERVICE_MANAGER = 1;

/**
 * Whose a process is: by the forks that were recorded, and by the parent that each record names. Every process that the
 * update starts, and they start, has its fork recorded; what there was before is somebody else's. What the service manager
 * does or starts once the update has called it may be either's.
 */
export class AuditActors {
  private readonly known = new Map<number, Actor>();
  private isManagerCalled = false;

  constructor(
    private readonly root: number,
    before: Iterable<number>,
  ) {
    for (const pid of before) this.known.set(pid, 'other');
    this.known.set(root, 'own');
  }

  actor(pid: number, parent: number): Actor {
    if (pid === SERVICE_MANAGER) return this.ofService();
    let actor = this.known.get(pid);
    if (actor === undefined) {
      actor = parent === SERVICE_MANAGER ? this.ofService() : (this.known.get(parent) ?? this.ofService());
      this.known.set(pid, actor);
    }
    return actor;
  }

  /** A number may be one that an ended process had. */
  forked(parent: number, actor: Actor, child: number): void {
    if (child === this.root) return;
    this.known.set(child, parent === SERVICE_MANAGER ? this.ofService() : actor);
  }

  executed(path: string, actor: Actor): void {
    if (actor === 'own' && SERVICE_CLIENTS.has(path.slice(path.lastIndexOf('/') + 1)))
      this.isManagerCalled = true;
  }

  private ofService(): Actor {
    return this.isManagerCalled ? 'unsure' : 'other';
  }
}
