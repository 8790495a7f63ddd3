import type { IdentityValues } from '../image/identity-values';
import { type Occurrence, ownValues } from '../variation/neutral';
import type { PointOfVariation } from '../variation/points-of-variation';
import { alignContents, lengthMayCount } from '../variation/substitutions';
import type { TimeWindow } from '../variation/dates';
import type { Substitution } from '../render/render-content';
import type { DataPoint } from './data-point';
import { identitySearch } from './identity-search';

/** A content with the places of the representative's own values, and what of it cannot be anyone else's. */
export interface Template {
  readonly substitutions: readonly Substitution[];
  /** Values that may be the representative's own, or stand there by chance: `host name`. */
  readonly holdsIdentity: readonly string[];
  /** Times differ as well, and the representative's stay. */
  readonly hasDates?: boolean;
}

const HOST_POINTS = new Set(['host-name', 'node-name', 'fqdn']);

/** Finds templates with the representative alone: only what is surely its own becomes a place for others' values. */
export class TemplatesAlone {
  private readonly search: ReturnType<typeof identitySearch>;

  constructor(
    private readonly points: readonly PointOfVariation[],
    identity: IdentityValues,
  ) {
    this.search = identitySearch(identity);
  }

  templateOf(path: string, content: Uint8Array): Template {
    const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const found = ownValues(path, content, this.points);
    // A host name may be a word; a domain is the same on most machines, and a machine with another is told.
    const isKnown = ({ point }: Occurrence): boolean => point.strength === 'sure' || point.name === 'domain';
    const words = found.filter((value) => !isKnown(value)).map(({ point }) => point.label);
    const substitutions = found.filter(isKnown).map(({ offsetBytes, lengthBytes, point }): Substitution => ({
      offsetBytes,
      lengthBytes,
      value: point.name,
      ...this.otherReading(offsetBytes, point),
      ...(point.strength === 'word' && { fixed: true as const }),
      ...(lengthMayCount(buffer, offsetBytes, offsetBytes + lengthBytes) && { sameLength: true as const }),
    }));
    const holds = [...words, ...this.search(path, blanked(content, substitutions))];
    return { substitutions, holdsIdentity: [...new Set(holds)] };
  }

  /** The domain behind a host name may be the machine's own, or be written so for all. */
  private otherReading(offsetBytes: number, { name, value }: PointOfVariation): Pick<Substitution, 'or'> {
    if (!HOST_POINTS.has(name)) return {};
    const or = this.points
      .filter((point) => HOST_POINTS.has(point.name) && point.name !== name && !point.isOriginal)
      .filter((point) => value.startsWith(point.value))
      .map((point) => ({ offsetBytes, lengthBytes: point.value.length, value: point.name }));
    return or.length === 0 ? {} : { or };
  }
}

/** Finds templates by what the same update wrote on a second machine. */
export class TemplatesOfTwo {
  private readonly search: ReturnType<typeof identitySearch>;

  constructor(
    private readonly points: {
      readonly left: readonly PointOfVariation[];
      readonly right: readonly PointOfVariation[];
    },
    identities: { readonly left: IdentityValues; readonly right: IdentityValues },
    private readonly window: TimeWindow,
  ) {
    this.search = identitySearch(shared(identities.left, identities.right));
  }

  /** Undefined when the machines' own values do not explain the difference. */
  templateOf(path: string, left: Uint8Array, right: Uint8Array): Template | undefined {
    const aligned = alignContents(path, left, right, this.points, this.window);
    if (aligned === undefined) return undefined;
    const holdsIdentity = this.search(path, blanked(left, aligned.substitutions));
    return { ...aligned, holdsIdentity };
  }
}

/** An update takes less, with all its restarts. */
const LONGEST_UPDATE_MS = 24 * 3600 * 1000;

/** @param capturedAt the update was run before, and not long before: dates of then may be when it ran */
export function templatesOfTwo(left: DataPoint, right: DataPoint, capturedAt: Date): TemplatesOfTwo {
  return new TemplatesOfTwo(
    { left: left.is.points, right: right.is.points },
    { left: left.after.identity, right: right.after.identity },
    { from: new Date(capturedAt.getTime() - LONGEST_UPDATE_MS), to: capturedAt },
  );
}

/** Values of which the second machine proves nothing, as it has them too. */
function shared(left: IdentityValues, right: IdentityValues): IdentityValues {
  const both = <T>(a: T | undefined, b: T | undefined): T | undefined => (a === b ? a : undefined);
  const inBoth = (a: readonly string[], b: readonly string[]): readonly string[] =>
    a.filter((value) => b.includes(value));
  return {
    hostname: both(left.hostname, right.hostname),
    fqdn: both(left.fqdn, right.fqdn),
    machineId: both(left.machineId, right.machineId),
    sshHostKeys: {},
    filesystemUuids: inBoth(left.filesystemUuids, right.filesystemUuids),
    filesystemLabels: inBoth(left.filesystemLabels, right.filesystemLabels),
    diskUuids: inBoth(left.diskUuids, right.diskUuids),
    partUuids: inBoth(left.partUuids, right.partUuids),
    macAddresses: inBoth(left.macAddresses, right.macAddresses),
    ipAddresses: inBoth(left.ipAddresses, right.ipAddresses),
    cloudInstanceId: both(left.cloudInstanceId, right.cloudInstanceId),
  };
}

/** With blanks where values stand that are told apart already. */
function blanked(content: Uint8Array, places: readonly Substitution[]): Uint8Array {
  if (places.length === 0) return content;
  const copy = new Uint8Array(content);
  for (const { offsetBytes, lengthBytes } of places) copy.fill(0x20, offsetBytes, offsetBytes + lengthBytes);
  return copy;
}
