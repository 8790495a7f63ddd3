import {
  type AuditCall,
  auditCall,
  auditFolder,
  auditOpenFlags,
  type AuditPath,
  auditPath,
  type AuditRecord,
  auditRecord,
} from './audit-records';

/** The keys of our rules, by what follows the name of the recording. */
const KEY = /^imageelves-[A-Za-z0-9-]*-([a-z0-9]+)$/;
/** What the update's script makes when the rules are there, and before they are removed. */
const PROBE = /^\/var\/lib\/imageelves\/recording-[A-Za-z0-9-]+\/audit-(probe|end)-/;

/** Of one part. More records than these do not fit into a recording. */
const MAX_EVENTS = 1_000_000;
const MAX_ITEMS = 100;

export interface AuditEvent {
  readonly timeMs: number;
  readonly serial: number;
  /** Which rule made it. */
  readonly suffix: string;
  readonly call: AuditCall;
  readonly items: AuditPath[];
  /** The working directory. */
  folder?: string;
  openFlags?: number;
}

/**
 * Puts the records of events together, which come interleaved, and finds out what is missing. The kernel's own counter of
 * lost records is not enough: what auditd does not take within half a second goes to the console, uncounted (seen on 6.1).
 */
export class AuditEvents {
  private readonly open = new Map<number, AuditEvent>();
  private readonly whole: AuditEvent[] = [];
  private readonly serials = new Set<number>();
  private readonly found = new Set<string>();
  private first: number | undefined;
  private last: number | undefined;

  get count(): number {
    return this.whole.length;
  }

  take(line: string): void {
    const record = auditRecord(line);
    if (record === undefined) return;
    if (this.serials.size >= MAX_EVENTS) {
      this.found.add('there are more events than of any update');
      return;
    }
    this.serials.add(record.serial);
    if (record.type === 'SYSCALL') this.begin(record);
    else this.addTo(this.open.get(record.serial), record);
  }

  failures(): string[] {
    const { first, last } = this;
    if (first === undefined || last === undefined || last < first)
      return [...this.found, 'the records do not tell where they begin and end'];
    const isBetween = (serial: number): boolean => serial > first && serial < last;
    let seen = 0;
    for (const serial of this.serials) if (isBetween(serial)) seen++;
    const missing = last - first - 1 - seen;
    const broken = [...this.open.keys()].filter(isBetween).length;
    return [
      ...this.found,
      ...(missing > 0 ? [`the records of ${missing} events are missing`] : []),
      ...(broken > 0 ? [`of ${broken} events not all records are there`] : []),
    ];
  }

  /**
   * By when the calls began: a fork begins before what the child does, but its number is given when it ends. The clock is
   * coarse, so forks go first.
   */
  inOrder(): readonly AuditEvent[] {
    const rank = ({ suffix }: AuditEvent): number => (suffix === 'fork' ? 0 : 1);
    return this.whole.sort((a, b) => a.timeMs - b.timeMs || rank(a) - rank(b) || a.serial - b.serial);
  }

  private begin({ timeMs, serial, text }: AuditRecord): void {
    const call = auditCall(text);
    const suffix = call && KEY.exec(call.key)?.[1];
    if (call === undefined || suffix === undefined) return;
    const event: AuditEvent = { timeMs, serial, suffix, call, items: [] };
    if (call.items === 0 || call.items > MAX_ITEMS) this.whole.push(event);
    else this.open.set(serial, event);
  }

  private addTo(event: AuditEvent | undefined, { type, text }: AuditRecord): void {
    if (type === 'CONFIG_CHANGE' && / audit_enabled=0/.test(` ${text}`))
      this.found.add('auditing was switched off meanwhile');
    if (event === undefined) return;
    if (type === 'CWD') {
      const folder = auditFolder(text);
      if (folder !== undefined) event.folder = folder;
    } else if (type === 'PATH') this.addPath(event, auditPath(text));
    else event.openFlags ??= auditOpenFlags(text);
  }

  private addPath(event: AuditEvent, item: AuditPath): void {
    event.items.push(item);
    if (item.kind === 'CREATE' && item.name !== undefined) this.noteProbe(event.serial, item.name);
    if (event.items.length < event.call.items) return;
    this.open.delete(event.serial);
    this.whole.push(event);
  }

  private noteProbe(serial: number, name: string): void {
    const probe = PROBE.exec(name)?.[1];
    if (probe === 'probe') this.first ??= serial;
    else if (probe === 'end') this.last = serial;
  }
}
