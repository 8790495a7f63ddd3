import { ancestorsOf } from '../manifest/image-path';
import type { RecordFile } from '../records/record-codec';
import { nameOf } from '../records/debian-relations';
import type { Effects } from './effects';
import { CACHE_PACKAGES } from './read-rules';

type IsConcerned = (key: string, record: string) => boolean;

/** Record files of which an update asks what they say about that which it writes. */
const TABLES: readonly {
  readonly path: RegExp;
  readonly reason: string;
  concerning(effects: Effects): IsConcerned;
}[] = [
  {
    path: /^\/var\/lib\/dpkg\/(diversions|statoverride)$/,
    reason: 'where dpkg puts a file, and with which owner and mode',
    concerning:
      ({ paths }) =>
      (key) =>
        paths.has(key),
  },
  {
    path: /^\/var\/lib\/dpkg\/triggers\/File$/,
    reason: 'which packages are told when something is put below a path',
    concerning({ paths }) {
      const above = new Set([...paths].flatMap(ancestorsOf));
      return (key) => {
        const [folder, by] = key.split(' ');
        if (folder === undefined || by === undefined || CACHE_PACKAGES.has(by.split(':')[0]!)) return false;
        return paths.has(folder) || above.has(folder);
      };
    },
  },
  {
    path: /^\/var\/lib\/dpkg\/triggers\/[^/]+$/,
    reason: 'which packages are told of a trigger by its name',
    concerning: () => (key) => !CACHE_PACKAGES.has(key.split(':')[0]!),
  },
  {
    path: /^\/var\/cache\/debconf\/config\.dat$/,
    reason: 'answers that the configuration of a package is made of',
    concerning({ packages }) {
      const names = new Set([...packages].map(nameOf));
      return (key, record) => {
        // Each machine keeps its own time zone.
        if (key.startsWith('tzdata/')) return false;
        const owners = /^Owners:(.*)$/im.exec(record)?.[1]?.split(',') ?? [];
        return owners.some((owner) => names.has(owner.trim())) || names.has(key.split('/')[0]!);
      };
    },
  },
  {
    path: /^\/var\/lib\/ucf\/(hashfile|registry)$/,
    reason: 'which version of a configuration file was last agreed to',
    concerning:
      ({ paths }) =>
      (key) =>
        paths.has(key),
  },
];

export function concernedKeys(
  path: string,
  { records }: Pick<RecordFile, 'records'>,
  effects: Effects,
): string[] {
  const isConcerned = TABLES.find((one) => one.path.test(path))?.concerning(effects);
  if (isConcerned === undefined) return [];
  return [...records]
    .filter(([key, bytes]) => isConcerned(key, Buffer.from(bytes).toString('latin1')))
    .map(([key]) => key);
}

export function isConcerningTable(path: string): boolean {
  return TABLES.some((one) => one.path.test(path));
}
