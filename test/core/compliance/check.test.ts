import { execFile } from 'node:child_process';
import { ComplianceOutputError } from '../../../core/compliance/compliance-errors';
import { countRules } from '../../../core/compliance/compliance-result';
import { parseCheckOutput } from '../../../core/compliance/parse-check-output';
import { updateScript } from '../../../core/update/update-script';

interface Run {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** As Run Command does it: by `sh`, of whose output the first 24,000 characters come back. */
function runCheck(commands: readonly string[]): Promise<Run> {
  const script = updateScript({ name: 'check', kind: 'compliance', commands: [...commands] }).join('\n');
  return new Promise((resolve) => {
    execFile('sh', ['-c', script], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout.slice(0, 24_000), errors: stderr }),
    );
  });
}

test('reports rules by commands, by functions and by lines of its own', async () => {
  const { code, output, errors } = await runCheck([
    'echo looking around',
    'RULE_SEVERITY=HIGH',
    'rule_check ssh-1 "root cannot log in" printf "PermitRootLogin no\\nok"',
    'rule_check ssh-2 "this never holds" sh -c "echo seen; exit 3"',
    'RULE_SEVERITY=LOW',
    'rule_pass time-1 "time is kept"',
    'rule_fail time-2 "two servers" "one server"',
    `echo '{"rule":"own-1","status":"pass"}'`,
  ]);
  expect(code).toBe(0);
  expect(errors).toBe('looking around\n');
  const result = parseCheckOutput(output);
  expect(result.rules).toEqual([
    {
      rule: 'ssh-1',
      status: 'pass',
      title: 'root cannot log in',
      severity: 'HIGH',
      evidence: 'PermitRootLogin no\nok',
    },
    {
      rule: 'ssh-2',
      status: 'fail',
      title: 'this never holds',
      severity: 'HIGH',
      evidence: 'exit code 3: seen',
    },
    { rule: 'time-1', status: 'pass', title: 'time is kept', severity: 'LOW', evidence: '' },
    { rule: 'time-2', status: 'fail', title: 'two servers', severity: 'LOW', evidence: 'one server' },
    { rule: 'own-1', status: 'pass', title: '', severity: 'UNSPECIFIED', evidence: '' },
  ]);
  expect(countRules(result)).toEqual({ passed: 3, failed: 2 });
});

test('carries any text as evidence', async () => {
  const nasty = 'quote " backslash \\ tab \t two\nlines \x01\x1b[31m ü € %s $HOME `id`';
  const { output } = await runCheck([`rule_fail r t '${nasty}'`]);
  expect(parseCheckOutput(output).rules[0]?.evidence).toBe(nasty.replaceAll(/[\x01\x1b]/g, ''));
});

test('cuts long evidence, also in the middle of a character', async () => {
  const { output } = await runCheck([`rule_pass r t "$(head -c 9001 /dev/zero | tr '\\000' x)ü"`]);
  const { evidence } = parseCheckOutput(output).rules[0]!;
  expect([evidence.length, evidence.at(-1)]).toEqual([1000, '…']);
  const cut = await runCheck([`rule_pass r t "x$(head -c 3000 /dev/zero | sed 's/\\x00/ü/g')"`]);
  expect(parseCheckOutput(cut.output).rules[0]?.evidence).toMatch(/^xü+…$/);
});

test('packs what has no room in the output', async () => {
  const { output } = await runCheck([
    `seq 500 | sed 's/.*/{"rule":"rule-&","status":"pass","evidence":"what was seen about rule & on this machine"}/'`,
  ]);
  expect(output).toMatch(/^imageelves-results: gzip\n/);
  expect(parseCheckOutput(output).rules).toHaveLength(500);
});

test.each([
  ['a command that fails', ['rule_pass r t', 'false', 'rule_pass s t'], 1],
  ['a variable that is not set', ['echo "$NOT_SET_ANYWHERE"'], 2],
  ['an exit of its own', ['rule_pass r t', 'exit 7'], 7],
])('%s ends the check as failed', async (_what, commands, code) => {
  expect((await runCheck(commands)).code).toBe(code);
});

test.each([
  ['nothing', [], /is empty/],
  ['one rule twice', ['rule_pass r t', 'rule_fail r t'], /Line 2 .*second one for rule r/],
  ['a rule without a name', ['rule_pass "" t'], /Line 1 .*rule/],
  ['a status of its own', [`echo '{"rule":"r","status":"maybe"}'`], /Line 1 .*status/],
  ['a member more', [`echo '{"rule":"r","status":"pass","weight":3}'`], /Line 1 .*weight/],
  ['half a line', [`echo '{"rule":"r",'`], /Line 1 .*not JSON/],
  ['too many', [`seq 501 | sed 's/.*/{"rule":"rule-&","status":"pass"}/'`], /501 rules, more than 500/],
  [
    'more than comes back',
    [`head -c 90000 /dev/urandom | base64 -w 900 | sed 's/.*/{"rule":"x","status":"pass","evidence":"&"}/'`],
    /cut off/,
  ],
])('a check that reports %s has no result', async (_what, commands, cause) => {
  const { code, output } = await runCheck(commands);
  expect(code).toBe(0);
  expect(() => parseCheckOutput(output)).toThrow(cause);
  expect(() => parseCheckOutput(output)).toThrow(ComplianceOutputError);
});

test.each([
  ['', /cut off/],
  ['{"rule":"r","status":"pass"}\n', /cut off/],
  ['{"rule":"r","status":"pass"}\nimageelves-results: end 2\n', /has 1 rules of 2/],
  ['imageelves-results: end -1\n', /does not say/],
  ['imageelves-results: gzip\nH4sIA\nimageelves-results: end 1\n', /cannot be unpacked/],
])('%j is refused', (output, cause) => {
  expect(() => parseCheckOutput(output)).toThrow(cause);
});
