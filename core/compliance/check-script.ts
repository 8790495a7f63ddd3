import { MAX_EVIDENCE_LENGTH } from './compliance-result';

/** How a line of a check's output begins that is the result of a rule; all other lines are talk. */
export const RULE_LINE = '{"rule":';
/** Lines of this beginning are ours: how the results are packed, and where they end. */
export const RESULTS_LINE = 'imageelves-results:';

/** GetCommandInvocation gives the first 24,000 characters of the output; longer results are compressed. */
const PLAIN_BYTES = 20_000;

/**
 * The lines that run a check. Its commands may call
 *
 *     rule_check ID TITLE COMMAND...      passes when the command ends with 0; what it prints is the evidence
 *     rule_pass ID TITLE [EVIDENCE]
 *     rule_fail ID TITLE [EVIDENCE]
 *
 * with RULE_SEVERITY set before (CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL; of itself UNSPECIFIED), or print one JSON
 * object a line themselves: {"rule":"...","status":"pass"|"fail","title":"...","severity":"...","evidence":"..."}.
 *
 * The results alone go to the output, which has room for little; whatever else the check prints goes to the error output.
 */
export function checkScript(commands: readonly string[]): string[] {
  return [
    'set -eu',
    ...FUNCTIONS,
    'imageelves_results=$(mktemp)',
    'trap \'rm -f "$imageelves_results"\' EXIT',
    // As a condition's part, the commands would not end at the first that fails.
    'set +e',
    '(',
    'set -eu',
    ...commands,
    ') > "$imageelves_results"',
    'imageelves_code=$?',
    ...PRINT,
    'exit "$imageelves_code"',
  ];
}

/**
 * Text to the inside of a JSON string, plain words without further processes: control characters other than tab and line feed are dropped, and more bytes than
 * any limit on characters asks for.
 */
const FUNCTIONS = [
  'imageelves_text() {',
  '  case "$1" in *[!A-Za-z0-9\\ .,:/_-]*) ;; *) printf %.1000s "$1"; return ;; esac',
  `  printf %s "$1" | LC_ALL=C tr -d '\\000-\\010\\013-\\037\\177' | head -c ${4 * MAX_EVIDENCE_LENGTH} |`,
  `    LC_ALL=C sed -e ':a' -e '$!{' -e N -e ba -e '}' -e 's/\\\\/\\\\\\\\/g' -e 's/"/\\\\"/g' -e 's/\t/\\\\t/g' -e 's/\\n/\\\\n/g'`,
  '}',
  'imageelves_rule() {',
  `  printf '{"rule":"%s","status":"%s","title":"%s","severity":"%s","evidence":"%s"}\\n' "$(imageelves_text "$2")" "$1" \\`,
  '    "$(imageelves_text "$3")" "$(imageelves_text "${RULE_SEVERITY:-UNSPECIFIED}")" "$(imageelves_text "${4-}")"',
  '}',
  'rule_pass() { imageelves_rule pass "$@"; }',
  'rule_fail() { imageelves_rule fail "$@"; }',
  'rule_check() {',
  '  imageelves_id=$1',
  '  imageelves_title=$2',
  '  shift 2',
  '  if imageelves_seen=$("$@" 2>&1 </dev/null); then',
  '    rule_pass "$imageelves_id" "$imageelves_title" "$imageelves_seen"',
  '  else',
  '    imageelves_seen="exit code $?${imageelves_seen:+: $imageelves_seen}"',
  '    rule_fail "$imageelves_id" "$imageelves_title" "$imageelves_seen"',
  '  fi',
  '}',
];

/** With sed, for whom no line is binary. */
const PRINT = [
  `imageelves_rules() { LC_ALL=C sed -n '/^${RULE_LINE}/p' "$imageelves_results"; }`,
  `LC_ALL=C sed '/^${RULE_LINE}/d' "$imageelves_results" >&2`,
  'imageelves_count=$(imageelves_rules | wc -l)',
  `if [ "$(wc -c < "$imageelves_results")" -gt ${PLAIN_BYTES} ]; then`,
  `  echo '${RESULTS_LINE} gzip'`,
  '  imageelves_rules | gzip -9 | base64',
  'else',
  '  imageelves_rules',
  'fi',
  `echo "${RESULTS_LINE} end $((imageelves_count))"`,
];
