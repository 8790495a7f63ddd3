import { auditRuleLines } from '../recording/audit-calls';

/**
 * The kernel's audit (auditctl(8), auditd(8)) as a recorder: for as long as the update runs there are rules with a key of
 * their own, and what auditd writes is read along. It is tried last, since it writes into the machine's own log; never
 * where that could stop the machine, fill its disk, or go unseen. These lines define functions, of which the script calls
 * `imageelves_audit_begin` and `imageelves_audit_stop`; `imageelves_why` says what speaks against it.
 */
export function auditLines(name: string): string[] {
  const key = `imageelves-${name}`;
  return [
    `imageelves_key=${key}`,
    ...STATE,
    ...USABLE,
    'imageelves_audit_rules() {',
    `  cat <<'IMAGEELVES_RULES'`,
    ...auditRuleLines(key),
    'IMAGEELVES_RULES',
    '}',
    ...START,
    ...STOP,
    ...BEGIN,
  ];
}

/** auditctl -s prints `lost 0` or, before audit 2.3.3, `AUDIT_STATUS: ... lost=0`. */
const STATE = [
  'imageelves_audit_state() {',
  '  "$imageelves_auditctl" -s 2>/dev/null | tr -s " =" "\\n\\n" | sed -n "/^$1\\$/{n;p;q;}"',
  '}',
  'imageelves_audit_count() { "$imageelves_auditctl" -l 2>/dev/null | grep -c "key=$imageelves_key-"; }',
  'imageelves_audit_setting() {',
  '  sed -n "s/^ *$1 *= *\\([^ ]*\\).*/\\1/p" /etc/audit/auditd.conf 2>/dev/null | tail -n 1',
  '}',
];

const USABLE = [
  'imageelves_audit_usable() {',
  '  case "$(imageelves_audit_state enabled)" in',
  '    1) ;;',
  '    0) imageelves_why="auditing is switched off"; return 1 ;;',
  '    2) imageelves_why="the rules of its audit are locked until the next boot (auditctl -e 2)"; return 1 ;;',
  '    *) imageelves_why="its audit cannot be asked for its state"; return 1 ;;',
  '  esac',
  '  if [ "$(imageelves_audit_state failure)$(imageelves_audit_state flag)" = 2 ]; then',
  '    imageelves_why="a lost record of its audit would stop it (auditctl -f 2)"; return 1',
  '  fi',
  '  imageelves_daemon=$(imageelves_audit_state pid)',
  '  if [ "${imageelves_daemon:-0}" -eq 0 ]; then imageelves_why="auditd does not run"; return 1; fi',
  '  imageelves_log=$(imageelves_audit_setting log_file)',
  '  imageelves_log=${imageelves_log:-/var/log/audit/audit.log}',
  '  if [ ! -r "$imageelves_log" ]; then imageelves_why="auditd keeps no log"; return 1; fi',
  '  imageelves_logs=$(imageelves_audit_setting num_logs)',
  '  case "$(imageelves_audit_setting max_log_file_action)" in [Rr][Oo][Tt][Aa][Tt][Ee]) ;; *) imageelves_logs=0 ;; esac',
  '  if [ "${imageelves_logs:-0}" -lt 2 ]; then',
  '    imageelves_why="the log of auditd is not rotated, and the records of an update could fill its disk"; return 1',
  '  fi',
  '}',
];

/**
 * Reads the log from its end on, through rotations, until it is told that it is over; when whoever started it is gone,
 * also by a signal that nothing can catch, it removes the rules. A log that is being rotated may lack a number for a moment.
 */
const FOLLOW = [
  'log=$1 starter=$2 folder=$3 auditctl=$4',
  'exec 3< "$log" || exit 1',
  'cat <&3 >/dev/null',
  ': > "$folder/audit-follows"',
  'missed=0',
  'while :; do',
  '  over=; [ -e "$folder/audit-over" ] && over=1',
  '  if ! kill -0 "$starter" 2>/dev/null; then',
  '    "$auditctl" -R "$folder/audit-remove" >/dev/null 2>&1',
  '    exit 1',
  '  fi',
  '  cat <&3',
  '  if [ "$log" -ef /proc/self/fd/3 ]; then',
  '    if [ -n "$over" ]; then echo "imageelves followed"; exit; fi',
  '    missed=0',
  '    sleep 1',
  '    continue',
  '  fi',
  '  number=1',
  '  while [ -e "$log.$number" ] && ! [ "$log.$number" -ef /proc/self/fd/3 ]; do number=$((number + 1)); done',
  '  next=$log; [ "$number" -gt 1 ] && next=$log.$((number - 1))',
  '  if [ -e "$log.$number" ] && [ -e "$next" ]; then',
  '    exec 4< "$next"',
  '    if [ "$log.$number" -ef /proc/self/fd/3 ]; then cat <&3; exec 3<&4; missed=0; fi',
  '  else',
  '    missed=$((missed + 1))',
  '    if [ "$missed" -gt 5 ]; then echo "imageelves failure the log was rotated away before it was read"; exit; fi',
  '    sleep 1',
  '  fi',
  'done',
];

/** ENRICHED logs have names behind a group separator (auditd.conf(5), log_format). */
const GROUP_SEPARATOR = "$(printf '\\035')";

/**
 * Of events that are not asked for their number stays, since a number that is missing tells of a lost event; and of those
 * that are, what tells who did what to which path: not command lines.
 */
const TRIM = [
  's/^node=[^ ]* //',
  `s/${GROUP_SEPARATOR}.*//`,
  '/^imageelves /{p;d;}',
  '/^type=SYSCALL .* key=\\"$imageelves_key-/{s/ auid=.* key=/ key=/;p;d;}',
  '/^type=PATH /{s/ ouid=.*\\( [a-z]*type=\\)/\\1/;s/ cap_fp=.*//;p;d;}',
  '/^type=CWD /{p;d;}',
  '/^type=CONFIG_CHANGE /{p;d;}',
  '/^type=[^ ]* .* oflag=/{p;d;}',
  '/^type=PROCTITLE /d',
  '/^type=EOE /d',
  's/^\\(type=[^ ]* msg=audit([0-9.:]*):\\).*/\\1/p',
];

const START = [
  'imageelves_audit_seen() {',
  '  imageelves_left=$2',
  '  until grep -q "type=PATH .* name=\\"$imageelves/$1-$imageelves_mark\\"" "$imageelves_log" "$imageelves_log.1" 2>/dev/null; do',
  '    [ "$imageelves_left" -gt 0 ] || return 1',
  '    imageelves_left=$((imageelves_left - 1)); sleep 1',
  '  done',
  '}',
  'imageelves_audit_start() {',
  '  rm -f "$imageelves"/audit-*',
  // -i: what is unknown is passed over (auditctl(8)); it takes no file that others may write to.
  '  (umask 077',
  '    { echo -i; imageelves_audit_rules | sed "s/^/-A /"; } > "$imageelves/audit-add"',
  '    { echo -i; imageelves_audit_rules | sed "s/^/-d /"; } > "$imageelves/audit-remove")',
  // Of a script of this name that was killed with all that it had started.
  '  "$imageelves_auditctl" -R "$imageelves/audit-remove" >/dev/null 2>&1',
  `  cat > "$imageelves/audit-follow" <<'IMAGEELVES_FOLLOW'`,
  ...FOLLOW,
  'IMAGEELVES_FOLLOW',
  '  imageelves_mark=$(date +%s)-$$',
  '  imageelves_lost=$(imageelves_audit_state lost)',
  '  imageelves_session=; command -v setsid >/dev/null 2>&1 && imageelves_session=setsid',
  '  $imageelves_session sh "$imageelves/audit-follow" "$imageelves_log" $$ "$imageelves" "$imageelves_auditctl" 2>/dev/null </dev/null |',
  `    LC_ALL=C sed -n "${TRIM.join('\n')}" | gzip > "$imageelves/audit-records" &`,
  '  imageelves_follower=$!',
  '  imageelves_left=10',
  '  until [ -e "$imageelves/audit-follows" ] || [ "$imageelves_left" -eq 0 ]; do imageelves_left=$((imageelves_left - 1)); sleep 1; done',
  '  "$imageelves_auditctl" -R "$imageelves/audit-add" >/dev/null 2>&1',
  '  imageelves_rules=$(imageelves_audit_count)',
  '  : > "$imageelves/audit-probe-$imageelves_mark"',
  '  imageelves_audit_seen audit-probe 10 && return',
  '  imageelves_why="a rule of its audit made no record in the log of auditd"',
  '  imageelves_audit_leave',
  '  return 1',
  '}',
];

/** Prints why not all is there. auditd has written all once it has written what comes last. */
const STOP = [
  'imageelves_audit_stop() {',
  '  if [ "$(imageelves_audit_count)" != "$imageelves_rules" ]; then',
  '    echo "imageelves failure its rules were removed meanwhile"',
  '  else',
  '    : > "$imageelves/audit-end-$imageelves_mark"',
  '    imageelves_audit_seen audit-end 60 || echo "imageelves failure the last records did not come into the log of auditd"',
  '  fi',
  '  imageelves_now=$(imageelves_audit_state lost)',
  '  [ "$imageelves_now" = "$imageelves_lost" ] || echo "imageelves lost $imageelves_lost $imageelves_now"',
  '  imageelves_audit_leave',
  '}',
  'imageelves_audit_leave() {',
  '  "$imageelves_auditctl" -R "$imageelves/audit-remove" >/dev/null 2>&1',
  '  : > "$imageelves/audit-over"',
  '  wait "$imageelves_follower"',
  '}',
];

/** With a trap, even one that does nothing, the shell outlives a signal until the rules are gone. */
const BEGIN = [
  'imageelves_audit_begin() {',
  '  trap : HUP INT TERM',
  '  imageelves_audit_usable && imageelves_audit_start && return',
  '  trap - HUP INT TERM',
  '  return 1',
  '}',
];

/** Where nothing better was found. */
export const CHOOSE_AUDIT: readonly string[] = [
  'imageelves_why=',
  'if [ "$imageelves_method" = none ]; then',
  '  for imageelves_auditctl in auditctl /sbin/auditctl /usr/sbin/auditctl; do',
  '    command -v "$imageelves_auditctl" >/dev/null 2>&1 || continue',
  '    . "$imageelves/audit.sh" && imageelves_audit_begin && imageelves_method=audit',
  '    break',
  '  done',
  'fi',
];

const LIMIT = `'"/":"by audit: what a service does once the update has called a service manager may be its doing or not"'`;

/** The branch of the method. */
export const RUN_BY_AUDIT: readonly string[] = [
  '  audit)',
  `    imageelves_head ${LIMIT} | gzip > "$imageelves_part"`,
  `    (cd /proc && printf 'imageelves process %s\\n' [0-9]*) > "$imageelves/audit-facts"`,
  `    sh -c 'echo "imageelves root $$" >> "$0/audit-facts"; exec sh "$0/update.sh"' "$imageelves" || imageelves_code=$?`,
  '    imageelves_audit_stop >> "$imageelves/audit-facts"',
  '    trap - HUP INT TERM',
  '    {',
  `      imageelves_head ${LIMIT}`,
  '      cat "$imageelves/audit-facts"',
  '      gzip -dc "$imageelves/audit-records"',
  '      imageelves_end "$imageelves_code"',
  '    } | gzip > "$imageelves_part"',
  '    rm -f "$imageelves"/audit-*',
  '    ;;',
];
