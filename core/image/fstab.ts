/** One line of fstab(5). */
export interface FstabEntry {
  /** `UUID=…`, `/dev/…`, a directory for a bind mount, a server's path. */
  readonly source: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Reads fstab as mount(8) does; lines that are no entry are left out, as it does too. */
export function parseFstab(text: string): FstabEntry[] {
  return text.split('\n').flatMap((line) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const [source, mountPoint, type, options] = trimmed.split(/[ \t]+/).map(unescapeOctal);
    if (!source || !mountPoint) return [];
    return [
      {
        source: unquoteTag(source),
        mountPoint: normalise(mountPoint),
        type: type ?? 'auto',
        options: (options ?? 'defaults').split(',').filter((option) => option !== ''),
      },
    ];
  });
}

/** `\040` is a blank, `\011` a tab, `\134` a backslash. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** `LABEL="my root"` is allowed for tags. */
function unquoteTag(source: string): string {
  return source.replace(/^([A-Z]+)="(.*)"$/, '$1=$2');
}

function normalise(mountPoint: string): string {
  if (!mountPoint.startsWith('/')) return mountPoint;
  const parts = mountPoint.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}
