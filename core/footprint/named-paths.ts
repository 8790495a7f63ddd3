/** Far more than any script names. */
const MOST_NAMES = 5000;
const LARGEST_TEXT = 1024 * 1024;

/** A path between blanks, quotes or operators; what is made of variables cannot be known. */
const PATH = /(?<![\w.$}*?~/-])\/(?!\/)(?:[A-Za-z0-9._+@%,-]+(?::[A-Za-z0-9._+@%,-]+)*\/?)*(?:[*?[{$]\S*)?/g;
/** Of a program these are paths, and not the ends of others. */
const ROOTS = /^\/(etc|usr|var|opt|srv|root|home|boot|lib|lib64|bin|sbin)(\/|$)/;

/** The name of the machine in a path: whether such a file is there tells of the names in its directory only. */
const OWN_NAME =
  /^\$(\((hostname|hostnamectl|uname -n|cat \/etc\/(hostname|machine-id))\b|\{?(HOSTNAME|HOST)\b)/;
const LONGEST_EXPRESSION = 80;
const SET_TO_OWN_NAME =
  /\b([A-Za-z_]\w{0,63})=["']?(?:\$\(|`)(?:hostname|hostnamectl|uname -n|cat \/etc\/(?:hostname|machine-id))\b/g;
/** What stands in these differs from machine to machine. */
const TOP_FOLDER = /^\/[^/]+$|^\/usr\/(local\/)?s?bin$/;

/** `$name`, `${name}` and `${name%%.*}`, but not `$name2`. */
function isVariable(expression: string, name: string): boolean {
  const start = expression.startsWith('${') ? 2 : 1;
  return expression.startsWith(name, start) && !/^\w/.test(expression.slice(start + name.length));
}

export interface NamedPaths {
  readonly paths: ReadonlySet<string>;
  /** Directories of which patterns (`/etc/x/*.conf`) ask for names. */
  readonly folders: ReadonlySet<string>;
}

/** The absolute paths that a script names, as far as they are words of it. */
export function namedPaths(text: string): NamedPaths {
  const paths = new Set<string>();
  const folders = new Set<string>();
  const variables = [...text.slice(0, LARGEST_TEXT).matchAll(SET_TO_OWN_NAME)].map(([, name]) => name!);
  const isOwnName = (expression: string): boolean =>
    OWN_NAME.test(expression) || variables.some((name) => isVariable(expression, name));
  for (const { 0: found, index } of text.slice(0, LARGEST_TEXT).matchAll(PATH)) {
    if (paths.size + folders.size >= MOST_NAMES) break;
    const pattern = found.search(/[*?[{$]/);
    if (pattern >= 0) {
      const folder = found.slice(0, found.lastIndexOf('/', pattern));
      const isAsked =
        found[pattern] !== '$' ||
        (isOwnName(text.slice(index + pattern, index + pattern + LONGEST_EXPRESSION)) &&
          !TOP_FOLDER.test(folder));
      if (isAsked && ROOTS.test(folder)) folders.add(folder);
      continue;
    }
    const path = found.replace(/[.,]*\/*$/, '');
    if (path === '' && found !== '/') continue;
    if (path === '') folders.add('/');
    else if (ROOTS.test(path) && !path.split('/').some((name) => name === '.' || name === '..'))
      paths.add(path);
  }
  return { paths, folders };
}

/** Words that may be names of packages or accounts: what the commands ask for by name. */
export function namedWords(text: string): Set<string> {
  const words = new Set<string>();
  for (const [word] of text
    .slice(0, LARGEST_TEXT)
    .matchAll(/(?<![\w/.$-])[a-z_][a-z0-9+._-]{1,62}(?![\w/])/g)) {
    if (words.size >= MOST_NAMES) break;
    words.add(word.replace(/[.-]+$/, ''));
  }
  return words;
}

/** Commands whose result depends on every package of a machine. */
const ALL_PACKAGES =
  /\b(dpkg(-query)?\s+(-l|--list|-W|--show|--get-selections)\s*($|[|;&)>\n])|dpkg-query\s+[^|;&\n]*(-f|--showformat)\S*\s*('[^']*'|"[^"]*")?\s*($|[|;&)>\n])|apt(-get|itude)?\s[^|;&\n]*\b(upgrade|dist-upgrade|full-upgrade|safe-upgrade|autoremove|autopurge|list)\b|apt-mark\s+show|unattended-upgrade|debsums|rpm\s+(-qa|-Va|--verify)|(dnf|yum|microdnf)\s[^|;&\n]*\b(upgrade|update|distro-sync|autoremove|list|check-update)\b)/;

export function asksForAllPackages(text: string): boolean {
  return ALL_PACKAGES.test(text);
}

/** Record files of which commands ask for every record, though they name no path. */
const WHOLE_TABLES: readonly (readonly [RegExp, string])[] = [
  [/\bgetent\s+passwd\s*($|[|;&)>\n])/, '/etc/passwd'],
  [/\bgetent\s+group\s*($|[|;&)>\n])/, '/etc/group'],
  [/\bgetent\s+shadow\s*($|[|;&)>\n])/, '/etc/shadow'],
  [/\b(pwck|grpck)\b/, '/etc/passwd'],
  [/\bgrpck\b/, '/etc/group'],
  // Of one account, by whatever name; passwd(1) and chage(1) tell what shadow(5) says.
  [/\b(pwck|chage\s+(-\w*l|--list)|passwd\s+(-\w*S|--status))\b/, '/etc/shadow'],
  [/\bapt-mark\s+(show|minimize-manual)/, '/var/lib/apt/extended_states'],
];

export function wholeTables(text: string): string[] {
  return WHOLE_TABLES.filter(([pattern]) => pattern.test(text)).map(([, path]) => path);
}
