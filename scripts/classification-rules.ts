import { VOLATILE_PATHS } from '../core/capture/volatile-paths';
import { READ_RULES } from '../core/footprint/read-rules';
import { generatorOf } from '../core/generated/generators';
import { OWN_ENTRY_RULES } from '../core/generated/own-entry-rules';

const BEGIN = '<!-- rules: written by scripts/write-classification-rules.ts -->';
const END = '<!-- end of rules -->';

/** The document with its tables of rules replaced. */
export function withRules(document: string, rules: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`the document has no lines ${BEGIN} and ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${rules}\n\n${document.slice(end)}`;
}

/** Every rule with its reason, as tables in Markdown. */
export function classificationRules(): string {
  return [
    '### Changes that are no part of an update',
    'Left out of every manifest. With a star: each machine needs one of its own, and the report warns when an update made the first.',
    table(
      ['reason', 'paths'],
      byReason(
        VOLATILE_PATHS.map(({ pattern, reason, isOwn }) => [`${pattern}${isOwn ? ' \\*' : ''}`, reason]),
      ),
    ),
    '### Entries that belong to one machine',
    'Never copied. Made on each machine at its first boot where there is a generator; else the update has to be run there.',
    table(
      ['rule', 'paths', 'reason', 'when an update makes it', 'when it changes it', 'when it removes it'],
      OWN_ENTRY_RULES.map(({ name, path, reason, whenNew, whenChanged, whenRemoved }) => [
        name,
        code(path.source.replaceAll('\\/', '/')),
        reason,
        whenNew === 'generated'
          ? (generatorOf(name)?.reason ?? 'generated')
          : 'each machine needs the update',
        WHEN_CHANGED[whenChanged],
        WHEN_CHANGED[whenRemoved],
      ]),
    ),
    '### Reads that say nothing',
    'Not compared, unless the commands of the update name them. With a star: a compliance check that reads them asks what they say, and they are compared.',
    table(
      ['reason', 'paths'],
      byReason(
        READ_RULES.ignored.map(({ pattern, reason, countsForChecks }) => [
          `${pattern}${countsForChecks ? ' \\*' : ''}`,
          reason,
        ]),
      ),
    ),
    '### Directories of which the names count',
    'One more file there may take part in the update, although it was not read on the representative.',
    table(
      ['directories', 'reason'],
      READ_RULES.listed.map(({ pattern, reason }) => [code(pattern.source.replaceAll('\\/', '/')), reason]),
    ),
    '### Packages whose caches every machine makes for itself',
    table(
      ['package', 'reason'],
      [...READ_RULES.cachePackages].map(([name, reason]) => [code(name), reason]),
    ),
  ].join('\n\n');
}

const WHEN_CHANGED = {
  'left-out': 'left out',
  'removed-at-boot': 'removed on each machine at its first boot',
  'left-out-with-warning': 'left out, with a warning',
  'only-online': 'each machine needs the update',
} as const;

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function byReason(rules: readonly (readonly [pattern: string, reason: string])[]): string[][] {
  return [...Map.groupBy(rules, ([, reason]) => reason)].map(([reason, alike]) => [
    reason,
    alike.map(([pattern]) => pattern.replace(/^[^ ]+/, (path) => code(path))).join(', '),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
