import type { FilesystemReader } from '../filesystem/filesystem';
import { packageKey } from './dpkg-status';
import { RecordFormatError } from './record-errors';
import { parseStanza, splitStanzas } from './stanzas';

/** What dpkg's database says of one package. */
export interface DebianPackage {
  /** Empty for a package that was never unpacked. */
  readonly version: string;
  /** The whole Status field: wish, flag and state, such as `install ok installed` or `hold ok installed`. */
  readonly status: string;
}

const STATUS_PATH = '/var/lib/dpkg/status';
/** Of a machine with every package it has some 60 MB. */
const LARGEST_STATUS_BYTES = 128 * 1024 * 1024;

/**
 * dpkg's database, one character a byte. Undefined when the image has none.
 *
 * @throws RecordFormatError when it is far too large
 */
export async function dpkgStatusText(
  image: Pick<FilesystemReader, 'lstat' | 'readFile'>,
): Promise<string | undefined> {
  const stat = await image.lstat(STATUS_PATH);
  if (stat === undefined) return undefined;
  if (stat.sizeBytes > LARGEST_STATUS_BYTES)
    throw new RecordFormatError('dpkg-status', `${stat.sizeBytes} bytes are too many`);
  return Buffer.from(await image.readFile(STATUS_PATH)).toString('latin1');
}

/**
 * The packages of an image by `name:architecture`, those included of which only configuration is left. Empty when the
 * image has no dpkg database.
 *
 * @throws RecordFormatError when there is one that cannot be read
 */
export async function debianPackages(image: FilesystemReader): Promise<Map<string, DebianPackage>> {
  const packages = new Map<string, DebianPackage>();
  const text = await dpkgStatusText(image);
  if (text === undefined) return packages;
  for (const { body, line } of splitStanzas(text)) {
    if (body === '') continue;
    const fields = parseStanza(body, 'dpkg-status', line);
    const key = packageKey(fields);
    if (key) packages.set(key, { version: fields.get('version') ?? '', status: fields.get('status') ?? '' });
  }
  return packages;
}

/** True when the package's files are in place and it is configured. */
export function isInstalled({ status }: DebianPackage): boolean {
  return status.endsWith(' ok installed');
}

/** True when an administrator asked that this package is not upgraded (apt-mark(8) hold). */
export function isHeld({ status }: DebianPackage): boolean {
  return status.startsWith('hold ');
}
