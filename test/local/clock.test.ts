import { ManualClock, RealClock } from '../../local/clock';

test('a fast clock sleeps short and tells much time', async () => {
  const clock = new RealClock({ speed: 1000 });
  const [before, started] = [clock.now().getTime(), performance.now()];
  await clock.sleep(20_000);
  expect(performance.now() - started).toBeLessThan(2000);
  expect(clock.now().getTime() - before).toBeGreaterThanOrEqual(19_000);
});

test('a speed of nothing is refused', () => {
  expect(() => new RealClock({ speed: 0 })).toThrow(RangeError);
});

test('a sleep ends early when it is aborted', async () => {
  const stop = new AbortController();
  const [real, manual] = [
    new RealClock().sleep(60_000, stop.signal),
    new ManualClock().sleep(1, stop.signal),
  ];
  stop.abort(new Error('enough'));
  await expect(real).rejects.toThrow();
  await expect(manual).rejects.toThrow('enough');
});

test('a clock moved by hand wakes sleepers in order, also those who sleep again', async () => {
  const clock = new ManualClock(0);
  const log: string[] = [];
  const note = (name: string) => log.push(`${name} ${clock.now().getTime()}`);
  void clock.sleep(20).then(() => note('late'));
  void clock.sleep(10).then(async () => {
    note('early');
    await clock.sleep(5);
    note('again');
  });
  await clock.advance(18);
  expect(log).toEqual(['early 10', 'again 15']);
  expect(clock.now().getTime()).toBe(18);
  await clock.advance(2);
  expect(log).toEqual(['early 10', 'again 15', 'late 20']);
});
