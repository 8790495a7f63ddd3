import type { IdentityValues } from '../image/identity-values';

/** A value of the representative, what it is called, and where it is looked for. */
interface SoughtValue {
  readonly what: string;
  readonly value: string;
  /** A host name may be an ordinary word: it counts only where configuration stands, never in what a package brings. */
  readonly onlyInConfiguration: boolean;
}

/** Host names and labels shorter than this, or of these words, are found by chance. */
const MIN_NAME_LENGTH = 4;
const COMMON_NAMES = new Set([
  'localhost',
  'debian',
  'ubuntu',
  'linux',
  'root',
  'server',
  'default',
  'rootfs',
]);

const CONFIGURATION = /^\/(etc|boot|root|home|srv|opt|usr\/local|var)\//;
/** Holds only what packages bring, and a host may be called after a package. */
const PACKAGE_DATABASE = /^\/var\/lib\/dpkg\//;

/**
 * Finds the representative's own values in what an update wrote: a boot menu with its filesystem's UUID, a configuration
 * with its host name. Put on another machine, such a file would be wrong.
 */
export function identitySearch(identity: IdentityValues): (path: string, content: Uint8Array) => string[] {
  const sought = soughtValues(identity).map((value) => ({
    ...value,
    bytes: Buffer.from(value.value, 'utf8'),
  }));
  return (path, content) => {
    const isConfiguration = CONFIGURATION.test(path) && !PACKAGE_DATABASE.test(path);
    const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const found = sought
      .filter(({ onlyInConfiguration }) => !onlyInConfiguration || isConfiguration)
      .filter(({ bytes }) => holdsWord(buffer, bytes))
      .map(({ what }) => what);
    return [...new Set(found)];
  };
}

function soughtValues(identity: IdentityValues): SoughtValue[] {
  const values: SoughtValue[] = [];
  const add = (what: string, value: string | undefined, onlyInConfiguration: boolean): void => {
    if (value !== undefined && value !== '') values.push({ what, value, onlyInConfiguration });
  };
  const addName = (what: string, value: string | undefined): void => {
    if (value === undefined || value.length < MIN_NAME_LENGTH || COMMON_NAMES.has(value.toLowerCase()))
      return;
    add(what, value, true);
  };
  addName('host name', identity.hostname);
  addName('host name', identity.fqdn);
  add('machine-id', identity.machineId, false);
  for (const uuid of identity.filesystemUuids) add('filesystem UUID', uuid, false);
  for (const uuid of [...identity.diskUuids, ...identity.partUuids]) {
    // The disk signature of an MBR is eight digits: too short to be looked for in programs.
    add('partition UUID', uuid, uuid.length < 32);
  }
  for (const address of identity.macAddresses) add('MAC address', address, false);
  for (const address of identity.ipAddresses) add('IP address', address, true);
  add('cloud instance id', identity.cloudInstanceId, false);
  return values;
}

/** Whether the value stands there with no letter or digit next to it. */
function holdsWord(content: Buffer, value: Buffer): boolean {
  for (let at = content.indexOf(value); at >= 0; at = content.indexOf(value, at + 1)) {
    if (!isWordByte(content[at - 1]) && !isWordByte(content[at + value.length])) return true;
  }
  return false;
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte >= 0x80
  );
}
