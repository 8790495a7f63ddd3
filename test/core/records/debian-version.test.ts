import fc from 'fast-check';
import { compareDebianVersions } from '../../../core/records/debian-version';

describe('compareDebianVersions', () => {
  it.each([
    ['1.0', '1.1'],
    ['1.9', '1.10'],
    ['1.0~rc1', '1.0'],
    ['1.0~~', '1.0~'],
    ['1.0', '1.0a'],
    ['1.0a', '1.0+'],
    ['9.9', '1:0'],
    ['1.0-1', '1.0-1.1'],
    ['1.0-1~bpo12+1', '1.0-1'],
    ['3.0.15-1~deb12u1', '3.0.17-1~deb12u2'],
    ['2.36-9+deb12u9', '2.36-9+deb12u10'],
    ['1.0-', '1.0-1'],
    ['20991231235959999999998', '20991231235959999999999'],
  ])('has %s before %s', (older, newer) => {
    expect(compareDebianVersions(older, newer)).toBeLessThan(0);
    expect(compareDebianVersions(newer, older)).toBeGreaterThan(0);
  });

  it.each([
    ['1.0', '0:1.0'],
    ['1.0', '1.0-0'],
    ['1.01', '1.1'],
    ['1.0', '1.0-'],
  ])('has %s equal to %s', (left, right) => {
    expect(compareDebianVersions(left, right)).toBe(0);
  });

  const versions = fc
    .tuple(
      fc.option(fc.nat({ max: 2 })),
      fc.array(fc.constantFrom('0', '1', '09', '10', 'a', 'Z', '~', '+', '.', 'rc', 'deb12u', '-'), {
        maxLength: 5,
      }),
    )
    .map(([epoch, parts]) => `${epoch === null ? '' : `${epoch}:`}1${parts.join('')}`.replace(/-+$/, ''));

  it('orders any versions one way only', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        expect(Math.sign(compareDebianVersions(a, b)) + Math.sign(compareDebianVersions(b, a))).toBe(0);
        if (compareDebianVersions(a, b) <= 0 && compareDebianVersions(b, c) <= 0) {
          expect(compareDebianVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
