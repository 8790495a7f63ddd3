import { ImageElvesError } from '../../core/errors';
import type { LeaseDocument } from '../../core/workflow/documents';
import { leaseKey } from '../../core/workflow/keys';
import type { DocumentStore } from './document-store';

/** Another run is changing this machine, or this run lost its right to. */
export class LeaseHeldError extends ImageElvesError {
  override readonly name = 'LeaseHeldError';

  constructor(instanceId: string, lease: LeaseDocument) {
    super(
      `${instanceId} is being changed by ${lease.holder} until ${lease.expiresAt}.`,
      { instanceId, holder: lease.holder, expiresAt: lease.expiresAt },
      'Wait for the other run to end, then start a run for this machine.',
    );
  }
}

/** How long a lease lasts without being renewed; each changing step renews it. Longer than a Lambda and its retries. */
const LEASE_MS = 60 * 60 * 1000;

/** Lost races before a take is given up: every lost race means that somebody else won it. */
const ATTEMPTS = 5;

/** Who may change an instance: one object each, taken by conditional puts so that of two only one can win. */
export class LeaseStore {
  constructor(
    private readonly documents: DocumentStore,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /**
   * Takes or renews the lease; an expired one is taken over.
   * @param holder the run, with what it does: two holders never have the same machine
   * @throws LeaseHeldError
   */
  async take(instanceId: string, holder: string): Promise<void> {
    const key = leaseKey(instanceId);
    for (let attempt = 1; ; attempt += 1) {
      const found = await this.documents.findVersioned<LeaseDocument>(key);
      if (found !== undefined && found.value.holder !== holder && this.isLive(found.value)) {
        throw new LeaseHeldError(instanceId, found.value);
      }
      const condition = found === undefined ? 'absent' : { etag: found.etag };
      if (await this.documents.writeIf(key, this.lease(instanceId, holder, LEASE_MS), condition)) return;
      if (attempt === ATTEMPTS) throw new LeaseHeldError(instanceId, await this.documents.read(key));
    }
  }

  /** Renews a lease that must still be held. @throws LeaseHeldError when another took it over */
  renew(instanceId: string, holder: string): Promise<void> {
    return this.take(instanceId, holder);
  }

  /** Gives a lease that `from` left behind to `to`. False when `from` does not hold it. */
  async handOver(instanceId: string, from: string, to: string): Promise<boolean> {
    const key = leaseKey(instanceId);
    const found = await this.documents.findVersioned<LeaseDocument>(key);
    if (found === undefined || found.value.holder !== from) return false;
    return this.documents.writeIf(key, this.lease(instanceId, to, LEASE_MS), { etag: found.etag });
  }

  /** Lets it go if it is held; the object stays, expired. False when it was not this holder's any more. */
  async release(instanceId: string, holder: string): Promise<boolean> {
    const key = leaseKey(instanceId);
    const found = await this.documents.findVersioned<LeaseDocument>(key);
    if (found === undefined || found.value.holder !== holder) return false;
    return this.documents.writeIf(key, this.lease(instanceId, holder, 0), { etag: found.etag });
  }

  private isLive(lease: LeaseDocument): boolean {
    return Date.parse(lease.expiresAt) > this.now().getTime();
  }

  private lease(instanceId: string, holder: string, forMs: number): LeaseDocument {
    const now = this.now();
    return {
      instanceId,
      holder,
      takenAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + forMs).toISOString(),
    };
  }
}

/** A run patches under its own name, and rolls back under another: the two must not work on a machine at once. */
export const patchHolder = (run: string): string => run;
export const rollBackHolder = (run: string): string => `${run} (roll back)`;
