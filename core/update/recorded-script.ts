import { gzipSync } from 'node:zlib';
import { RECORDING_FORMAT_VERSION } from '../recording/recording';
import { TRACED_CALLS } from '../recording/parse-strace';
import { QUIESCE } from './quiesce';
import { auditLines, CHOOSE_AUDIT, RUN_BY_AUDIT } from './record-by-audit';
import { ScriptTooLongError } from './update-errors';

/** An SSM document may have 64 KB, and what Run Command is sent becomes part of one; the rest is for its other steps. */
export const MAX_SCRIPT_BYTES = 60 * 1024;
const BASE64_LINE = 1000;

export interface RecordedScript {
  /** The lines of the update, as `updateScript` makes them. */
  readonly update: readonly string[];
  /** The recorder as one Python program. */
  readonly recorder: string;
  /** Tells this recording from any other on the machine: letters, digits and dashes. */
  readonly name: string;
  /** Presigned PUT of one object: no rights of the machine and no AWS CLI are needed for it. */
  readonly uploadUrl?: string;
  /** The same object as s3://bucket/key, for the AWS CLI where there is one: by then the URL may have run out. */
  readonly uploadTo?: string;
}

/**
 * The lines that run an update and record what it does. Output and exit code are the update's, nothing more is printed:
 * whatever prevents the recording shows as one that is missing or says of itself that it is not whole.
 *
 * Best first: the recorder in Python (fanotify), strace, the kernel's audit, and nothing. All that is written lies in one
 * folder, which outlives reboots (exit code 194, after which the same lines run again and make the next part) and is gone
 * at the end.
 *
 * @throws ScriptTooLongError
 */
export function recordedScript(script: RecordedScript): string[] {
  if (!/^[A-Za-z0-9-]+$/.test(script.name))
    throw new RangeError(`a recording cannot be named ${script.name}`);
  const updateEnd = delimiter('IMAGEELVES_UPDATE', script.update);
  const lines = [
    `imageelves_parent=/var/lib/imageelves`,
    `imageelves=$imageelves_parent/recording-${script.name}`,
    'mkdir -p -m 700 "$imageelves_parent" && mkdir -p -m 700 "$imageelves" || exit 1',
    `cat > "$imageelves/update.sh" <<'${updateEnd}' || exit 1`,
    ...script.update,
    updateEnd,
    `base64 -d 2>/dev/null <<'IMAGEELVES_RECORDER' | gzip -dc > "$imageelves/recorder.py" 2>/dev/null`,
    ...packed(script.recorder),
    'IMAGEELVES_RECORDER',
    `base64 -d 2>/dev/null <<'IMAGEELVES_AUDIT' | gzip -dc > "$imageelves/audit.sh" 2>/dev/null`,
    ...packed(`${auditLines(script.name).join('\n')}\n`),
    'IMAGEELVES_AUDIT',
    ...CHOOSE_METHOD,
    ...CHOOSE_AUDIT,
    ...PART_FUNCTIONS,
    ...RUN,
    ...uploadLines(script),
    ...CLEAN_UP,
    'exit "$imageelves_code"',
  ];
  // It becomes a list in JSON: quotes and ends of lines take more than one byte there.
  const bytes = new TextEncoder().encode(JSON.stringify(lines)).length;
  if (bytes > MAX_SCRIPT_BYTES) throw new ScriptTooLongError(bytes, MAX_SCRIPT_BYTES);
  return lines;
}

/** A word that no line is, so that it can end them. */
function delimiter(word: string, lines: readonly string[]): string {
  let found = word;
  while (lines.some((line) => line.split('\n').includes(found))) found += '_';
  return found;
}

function packed(text: string): string[] {
  const base64 = gzipSync(text, { level: 9 }).toString('base64');
  return base64.match(new RegExp(`.{1,${BASE64_LINE}}`, 'g')) ?? [];
}

/** On RHEL 8 and its kin, the system's own Python is the only one that is always there. */
const CHOOSE_METHOD = [
  'imageelves_method=none',
  'for imageelves_python in python3 /usr/libexec/platform-python; do',
  '  command -v "$imageelves_python" >/dev/null 2>&1 || continue',
  '  if "$imageelves_python" -IB "$imageelves/recorder.py" --directory "$imageelves" --check >/dev/null 2>&1; then',
  '    imageelves_method=fanotify',
  '    break',
  '  fi',
  'done',
  'if [ "$imageelves_method" = none ] && strace -D -f -y -o /dev/null true >/dev/null 2>&1; then',
  '  imageelves_method=strace',
  'fi',
];

/** The head and the end of a part that the recorder does not write; a head alone tells of a part that was cut off. */
const PART_FUNCTIONS = [
  'imageelves_number=1',
  'while [ -e "$imageelves/part-$(printf %04d "$imageelves_number").jsonl.gz" ]; do',
  '  imageelves_number=$((imageelves_number + 1))',
  'done',
  'imageelves_part="$imageelves/part-$(printf %04d "$imageelves_number").jsonl.gz"',
  'imageelves_head() {',
  `  printf '{"recording":${RECORDING_FORMAT_VERSION},"part":%d,"method":"%s","kernel":"%s","boot":"%s","started":"%s","folder":"%s","limits":{%s}}\\n' \\`,
  '    "$imageelves_number" "$imageelves_method" "$(uname -r)" "$(cat /proc/sys/kernel/random/boot_id)" \\',
  '    "$imageelves_started" "$imageelves_folder" "$1"',
  '}',
  'imageelves_end() {',
  `  printf '{"end":true,"exit":%d,"ended":"%s","events":0,"overflows":0,"unresolved":0}\\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"`,
  '}',
  'imageelves_started=$(date -u +%Y-%m-%dT%H:%M:%SZ)',
  'imageelves_folder=$PWD',
  `case "$imageelves_folder" in /) ;; *[!A-Za-z0-9_./-]*|*/|*//*) imageelves_folder=/ ;; esac`,
];

const STRACE_LIMIT = `'"/":"only the processes that the update started itself were seen, not what it had restarted"'`;

/**
 * strace would stay for as long as anything lives that the update started, a daemon for ever: as nobody's parent (-D) it is
 * not waited for, and is told to let go, upon which it writes down what it has.
 */
const LET_GO = [
  '    imageelves_tracer=$(cat "$imageelves/tracer" 2>/dev/null)',
  '    for imageelves_signal in 0 0 0 0 0 TERM 0 0 0 0 0 0 0 0 0 0 KILL; do',
  '      kill "-$imageelves_signal" "$imageelves_tracer" 2>/dev/null || break',
  '      sleep 0.2',
  '    done',
];

const RUN = [
  'imageelves_code=0',
  'case "$imageelves_method" in',
  '  fanotify)',
  '    "$imageelves_python" -IB "$imageelves/recorder.py" --directory "$imageelves" -- sh "$imageelves/update.sh" || imageelves_code=$?',
  '    ;;',
  '  strace)',
  `    imageelves_head ${STRACE_LIMIT} | gzip > "$imageelves_part"`,
  `    strace -D -f -y -s 4096 -e signal=none -e trace=${TRACED_CALLS.map((call) => `?${call}`).join(',')} -o "$imageelves/trace" \\`,
  `      sh -c 'while read -r name value; do [ "$name" != TracerPid: ] || echo "$value"; done < /proc/$$/status > "$0/tracer"; exec sh "$0/update.sh"' \\`,
  '        "$imageelves" || imageelves_code=$?',
  ...LET_GO,
  '    {',
  `      imageelves_head ${STRACE_LIMIT}`,
  '      cat "$imageelves/trace"',
  '      imageelves_end "$imageelves_code"',
  '    } | gzip > "$imageelves_part"',
  '    rm -f "$imageelves/trace" "$imageelves/tracer"',
  '    ;;',
  ...RUN_BY_AUDIT,
  '  *)',
  '    imageelves_limit=; [ -n "$imageelves_why" ] && imageelves_limit="\\"/\\":\\"of this machine $imageelves_why\\""',
  '    imageelves_head "$imageelves_limit" | gzip > "$imageelves_part"',
  '    sh "$imageelves/update.sh" || imageelves_code=$?',
  '    { imageelves_head "$imageelves_limit"; imageelves_end "$imageelves_code"; } | gzip > "$imageelves_part"',
  '    ;;',
  'esac',
];

/** Each way of putting the recording into the bucket; where no packet comes back, none of them would end by itself for long. */
const UPLOAD_SECONDS = 240;
const BOUND = `timeout -k 10 ${UPLOAD_SECONDS}`;
/** What the recording may take beside the update: the upload by each of its ways, and what it slows the update down by. */
export const RECORDING_SECONDS = 3 * (UPLOAD_SECONDS + 10) + 450;

/** After each part: should the machine not come back, there is what was recorded before. */
function uploadLines({ uploadUrl, uploadTo }: RecordedScript): string[] {
  const ways = [
    ...(uploadUrl === undefined
      ? []
      : [
          `${BOUND} curl -fsS --retry 5 -T "$1" ${quoted(uploadUrl)}`,
          `${BOUND} "$imageelves_python" -IB "$imageelves/recorder.py" --upload "$1" ${quoted(uploadUrl)}`,
        ]),
    ...(uploadTo === undefined ? [] : [`${BOUND} aws s3 cp --only-show-errors "$1" ${quoted(uploadTo)}`]),
  ];
  if (ways.length === 0) return [];
  return [
    `imageelves_upload() { ${ways.join(' || ')}; }`,
    'cat "$imageelves"/part-*.jsonl.gz > "$imageelves/recording"',
    'imageelves_upload "$imageelves/recording" >/dev/null 2>&1 </dev/null',
  ];
}

/** 194 asks for a reboot, after which this goes on. */
const CLEAN_UP = [
  'if [ "$imageelves_code" -ne 194 ]; then',
  '  rm -rf "$imageelves"',
  '  rmdir "$imageelves_parent" 2>/dev/null',
  'fi',
  ...QUIESCE,
];

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
