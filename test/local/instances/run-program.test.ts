import { mustRun, runProgram } from '../../../local/instances/run-program';

test('output, exit status and input of a program', async () => {
  expect(await runProgram('sh', ['-c', 'cat; echo wrong >&2; exit 3'], { input: 'given' })).toEqual({
    exitCode: 3,
    stdout: 'given',
    stderr: 'wrong\n',
    timedOut: false,
  });
});

test('a time-out ends the program and its children', async () => {
  const started = performance.now();
  const result = await runProgram('sh', ['-c', 'echo begun; sleep 60 & sleep 60'], { timeoutMs: 300 });
  expect(result).toMatchObject({ exitCode: 137, stdout: 'begun\n', timedOut: true });
  expect(performance.now() - started).toBeLessThan(5000);
});

test('what a program leaves running does not keep its result', async () => {
  const started = performance.now();
  expect(await runProgram('sh', ['-c', 'sleep 5 & echo done'])).toMatchObject({
    exitCode: 0,
    stdout: 'done\n',
  });
  expect(performance.now() - started).toBeLessThan(4000);
});

test('an abort ends it', async () => {
  const stop = new AbortController();
  const running = runProgram('sleep', ['60'], { signal: stop.signal });
  setTimeout(() => stop.abort(), 100);
  expect(await running).toMatchObject({ exitCode: 137, timedOut: false });
});

test('output beyond the limit is dropped', async () => {
  const { stdout } = await runProgram('sh', ['-c', 'head -c 100000 /dev/zero'], { outputLimitBytes: 1000 });
  expect(stdout).toHaveLength(1000);
});

test('a failure is told in the words of the program', async () => {
  await expect(mustRun('sh', ['-c', 'echo why >&2; exit 1'])).rejects.toThrow('exited with 1: why');
  await expect(mustRun('no-such-program', [])).rejects.toThrow('ENOENT');
});
