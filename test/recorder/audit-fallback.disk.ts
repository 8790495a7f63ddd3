import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseRecording } from '../../core/recording/parse-recording';
import { type RecordingSummary, summarizeRecording } from '../../core/recording/summarize-recording';
import { recordedScript } from '../../core/update/recorded-script';

/**
 * Where there is neither Python nor strace: the branches of the script before the kernel's audit, with an auditctl and an
 * auditd that only pretend. What real ones write is in test/core/recording/parse-audit.test.ts.
 */
const run = promisify(execFile);

jest.setTimeout(30_000);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
  for (const name of ['parts', 'bin', 'etc', 'log']) await mkdir(join(folder, name));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** State and rules in files; the rules that were there before stay. */
const AUDITCTL = `#!/bin/sh
  case "$1" in
    -s) cat "$FOLDER/state" ;;
    -l) sed 's/ -k / -F key=/' "$FOLDER/rules" ;;
    -R) while read -r action rule; do
          case "$action" in
            -A) echo "$rule" >> "$FOLDER/rules" ;;
            -d) grep -vxF -e "$rule" "$FOLDER/rules" > "$FOLDER/rules.new"; mv "$FOLDER/rules.new" "$FOLDER/rules" ;;
          esac
        done < "$2" ;;
  esac`;

/** Writes a record of each of the script's own marks, as long as there are rules, and of nothing else. */
const AUDITD = `
  while [ -e "$FOLDER/state" ] && [ ! -e "$FOLDER/over" ]; do
    for mark in /var/lib/imageelves/*/audit-probe-* /var/lib/imageelves/*/audit-end-*; do
      [ -e "$mark" ] || continue
      grep -qs openat "$FOLDER/rules" || continue
      grep -qsF "$mark" "$FOLDER/log/audit.log" && continue
      serial=$(cat "$FOLDER/serial"); echo $((serial + 1)) > "$FOLDER/serial"
      event="msg=audit(1700000000.000:$serial):"
      key=imageelves-it-openat
      {
        echo "type=SYSCALL $event arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=0 a2=241 a3=1b6 items=1 ppid=1 pid=2 auid=0 key=\\"$key\\""
        echo "type=CWD $event cwd=\\"/\\""
        echo "type=PATH $event item=0 name=\\"$mark\\" inode=9 dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=CREATE cap_fp=0"
      } >> "$FOLDER/log/audit.log"
    done
    sleep 05
  done`;

const STATE = { enabled: 1, failure: 1, pid: 7, rate_limit: 0, lost: 5, backlog: 0 };
const CONFIGURATION = 'num_logs = 5\nmax_log_file_action = ROTATE\n';

interface Machine {
  /** auditd is told of no event: as where `-a never,task` is among the rules. */
  readonly isSilent?: boolean;
  readonly state?: Partial<Record<keyof typeof STATE, number>>;
  readonly configuration?: string;
  readonly update?: readonly string[];
}

async function recordedOn({ isSilent, state, configuration, update }: Machine): Promise<RecordingSummary> {
  const lines = recordedScript({
    update: update ?? ['echo updated'],
    recorder: 'raise SystemExit(1)',
    name: 'it',
    uploadTo: 's3://b/k',
  });
  const told = Object.entries({ ...STATE, ...state }).map(([name, value]) => `${name} ${value}\n`);
  const program = (name: string, text: string): Promise<void> =>
    writeFile(join(folder, 'bin', name), text, { mode: 0o755 });
  await program('auditctl', AUDITCTL);
  await program('aws', '#!/bin/sh\ncp "$4" "$FOLDER/parts/part"\n');
  await program('strace', '#!/bin/sh\nexit 1\n');
  // The script waits in whole seconds.
  await program('sleep', '#!/bin/sh\nexec /bin/sleep "0.$1"\n');
  await writeFile(join(folder, 'state'), told.join(''));
  await writeFile(join(folder, 'serial'), '1');
  await writeFile(join(folder, 'rules'), '-w /etc/passwd -p wa -k identity\n');
  await writeFile(join(folder, 'log/audit.log'), 'type=DAEMON_START msg=audit(1.000:1): op=start\n');
  await writeFile(
    join(folder, 'etc/auditd.conf'),
    `log_file = ${folder}/log/audit.log\n${configuration ?? CONFIGURATION}`,
  );
  await writeFile(join(folder, 'script.sh'), lines.join('\n'));
  const script = `
    mount -t tmpfs tmpfs /var/lib
    mkdir /var/lib/upper /var/lib/work
    mount -t overlay -o lowerdir=/etc,upperdir=/var/lib/upper,workdir=/var/lib/work overlay /etc
    mkdir -p /etc/audit; cp "$FOLDER/etc/auditd.conf" /etc/audit/auditd.conf
    (${isSilent ? ':' : AUDITD}) &
    code=0; sh "$FOLDER/script.sh" || code=$?
    touch "$FOLDER/over"; wait; exit "$code"`;
  await run('unshare', ['--mount', '--propagation', 'private', '--', 'sh', '-euc', script], {
    env: { PATH: `${folder}/bin:${process.env['PATH']}:/usr/sbin:/sbin`, FOLDER: folder },
  });
  const names = await readdir(join(folder, 'parts'));
  const parts = await Promise.all(names.map((name) => readFile(join(folder, 'parts', name))));
  return summarizeRecording(parseRecording(Buffer.concat(parts)));
}

const rulesLeft = (): Promise<string> => readFile(join(folder, 'rules'), 'utf8');

test('a whole recording, of which no rule is left', async () => {
  const { method, lost, warnings } = await recordedOn({});
  expect({ method, lost }).toEqual({ method: 'audit', lost: false });
  expect(warnings.join()).toMatch(/^\/: by audit/);
  expect(await rulesLeft()).toBe('-w /etc/passwd -p wa -k identity\n');
});

test.each<[string, Machine, RegExp]>([
  ['are locked', { state: { enabled: 2 } }, /locked until the next boot \(auditctl -e 2\)/],
  ['are switched off', { state: { enabled: 0 } }, /switched off/],
  ['would stop the machine', { state: { failure: 2 } }, /would stop it \(auditctl -f 2\)/],
  ['come to no daemon', { state: { pid: 0 } }, /auditd does not run/],
  ['are never made', { isSilent: true }, /made no record in the log/],
  ['are kept for ever', { configuration: 'max_log_file_action = keep_logs\n' }, /could fill its disk/],
])('nothing is recorded, and it is told why, where audit records %s', async (_, machine, why) => {
  const { method, lost, warnings } = await recordedOn(machine);
  expect({ method, lost }).toEqual({ method: 'none', lost: true });
  expect(warnings.join()).toMatch(why);
  expect(await rulesLeft()).toBe('-w /etc/passwd -p wa -k identity\n');
});

test.each<[string, string, RegExp]>([
  ['the kernel loses records', 'sed -i "s/^lost 5/lost 8/" "$FOLDER/state"', /overflowed 3 times/],
  ['somebody removes the rules', 'sed -i /execve/d "$FOLDER/rules"', /its rules were removed meanwhile/],
  [
    'the log is rotated away',
    'rm "$FOLDER/log/audit.log"; sleep 1; : > "$FOLDER/log/audit.log"; sleep 7',
    /rotated away before it was read/,
  ],
])('the recording is lost when %s', async (_, command, why) => {
  const { method, lost, warnings } = await recordedOn({ update: [command] });
  expect({ method, lost }).toEqual({ method: 'audit', lost: true });
  expect(warnings.join()).toMatch(why);
  expect(await rulesLeft()).toBe('-w /etc/passwd -p wa -k identity\n');
});

test('a log that is rotated twice at once is read whole: no event’s number is missing', async () => {
  const log = '"$FOLDER/log/audit.log';
  const line = (serial: number): string =>
    `echo "type=USER_START msg=audit(1700000000.000:${serial}): secret"`;
  const { lost, warnings } = await recordedOn({
    update: [
      'echo 3 > "$FOLDER/serial"',
      `mv ${log}" ${log}.1"; ${line(2)} > ${log}"`,
      `mv ${log}.1" ${log}.2"; mv ${log}" ${log}.1"; : > ${log}"`,
      'sleep 2',
    ],
  });
  expect({ lost, warnings: warnings.length }).toEqual({ lost: false, warnings: 1 });
});

test.each(['TERM', 'KILL'])('no rule is left after SIG%s', async (signal) => {
  const update = [`kill -${signal} $(sed -n 's/^PPid:.//p' /proc/$$/status)`, 'sleep 1'];
  await recordedOn({ update }).catch((error: { code: unknown }) => error);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(await rulesLeft()).toBe('-w /etc/passwd -p wa -k identity\n');
});
