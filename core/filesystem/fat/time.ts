/** FAT counts years from here on. */
const FIRST_YEAR = 1980;

/** Date and time of an entry, to two seconds. FAT has no time zone: they are taken for UTC, as Linux does where it has none. */
export function fatTimeNs(date: number, time: number): bigint {
  const year = FIRST_YEAR + (date >>> 9);
  const month = Math.max(1, (date >>> 5) & 0xf);
  const day = Math.max(1, date & 0x1f);
  const milliseconds = Date.UTC(year, month - 1, day, time >>> 11, (time >>> 5) & 0x3f, (time & 0x1f) * 2);
  return BigInt(milliseconds) * 1_000_000n;
}
