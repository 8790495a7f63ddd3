/** One line of /etc/fstab that mounts a filesystem of a disk. */
export interface FstabEntry {
  readonly source: string;
  readonly mountPoint: string;
  readonly kind: string;
  readonly options: readonly string[];
}

/** fstab(5): fields apart by blanks, octal escapes in them. Swap, kernel filesystems and `noauto` are left out. */
export function parseFstab(text: string): FstabEntry[] {
  return text.split('\n').flatMap((line) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const [source = '', mountPoint = '', kind = '', options = 'defaults'] = line
      .trim()
      .split(/\s+/)
      .map(unescaped);
    const names = options.split(',');
    const isOfDisk = /^(UUID|LABEL|PARTUUID)=|^\/dev\//.test(source);
    if (!isOfDisk || !mountPoint.startsWith('/') || names.includes('noauto')) return [];
    return [{ source: source.replaceAll('"', ''), mountPoint, kind, options: names }];
  });
}

const unescaped = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(parseInt(octal, 8)));
