import { neutralise } from '../../../core/variation/neutral';
import type { PointOfVariation } from '../../../core/variation/points-of-variation';
import { alignContents } from '../../../core/variation/substitutions';

const name = (value: string): PointOfVariation => ({
  name: 'host-name',
  value,
  label: 'host name',
  strength: 'word',
  where: 'configuration',
});

describe('the values of a machine in a content', () => {
  it('become tokens', () => {
    const { bytes, found } = neutralise('/etc/a.conf', Buffer.from('name=web1\n'), [name('web1')]);
    expect(Buffer.from(bytes).toString()).toBe('name=\0<host-name>\0\n');
    expect(found).toEqual(['host-name']);
  });

  it('are not looked for without end: a content full of them is compared as it is, and no template', () => {
    const full = Buffer.from('web1 '.repeat(60_000));
    const points = [name('web1')];
    expect(neutralise('/etc/a.conf', full, points)).toEqual({ bytes: full, found: [] });
    expect(alignContents('/etc/a.conf', full, full, { left: points, right: points })).toBeUndefined();
  });
});
