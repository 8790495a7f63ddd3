import {
  compareRpmVersions,
  compareSegments,
  rpmVersionText,
  parseRpmVersion,
} from '../../../../core/records/rpm/rpm-version';

/** From rpm's own tests (rpmvercmp.at): left, right, order. */
const ORDERS: readonly (readonly [string, string, number])[] = [
  ['1.0', '1.0', 0],
  ['1.0', '2.0', -1],
  ['2.0.1', '2.0.1a', -1],
  ['5.5p1', '5.5p2', -1],
  ['5.5p10', '5.5p1', 1],
  ['10xyz', '10.1xyz', -1],
  ['xyz10', 'xyz10.1', -1],
  ['xyz.4', '8', -1],
  ['5.6p1', '6.5p1', -1],
  ['6.0.rc1', '6.0', 1],
  ['10b2', '10a1', 1],
  ['1.0aa', '1.0a', 1],
  ['10.0001', '10.1', 0],
  ['10.0001', '10.0039', -1],
  ['4.999.9', '5.0', -1],
  ['20101121', '20101122', -1],
  ['2_0', '2.0', 0],
  ['a', 'a+', 0],
  ['+a', '_a', 0],
  ['1.0~rc1', '1.0', -1],
  ['1.0~rc1', '1.0~rc2', -1],
  ['1.0~rc1~git123', '1.0~rc1', -1],
  ['1.0^', '1.0', 1],
  ['1.0^git1', '1.01', -1],
  ['1.0^20160101', '1.0.1', -1],
  ['1.0~rc1^git1', '1.0~rc1', 1],
  ['1.0^git1~pre', '1.0^git1', -1],
];

it.each(ORDERS)('%s and %s are %i', (left, right, order) => {
  expect(Math.sign(compareSegments(left, right))).toBe(order);
  expect(Math.sign(compareSegments(right, left))).toBe(order === 0 ? 0 : -order);
});

it('counts the epoch first, then the version, then the release', () => {
  expect(compareRpmVersions('1:1-1', '2-9')).toBeGreaterThan(0);
  expect(compareRpmVersions('2-1.el9', '2-1.el9_2')).toBeLessThan(0);
  expect(compareRpmVersions('0:2-1', '2-1')).toBe(0);
  expect(rpmVersionText(parseRpmVersion('3:1.0-2.fc40'))).toBe('3:1.0-2.fc40');
});
