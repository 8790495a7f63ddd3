import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { parseMetadataText } from '../../../core/lvm/metadata-text';
import { parseVolumeGroup } from '../../../core/lvm/volume-group';
import { GROUP_OF_KINDS, REFUSED_KINDS } from '../../support/lvm-kinds';
import { UUIDS } from '../../support/volume-group';

const MIB = 1024 * 1024;
const device = new MemoryBlockDevice(96 * MIB);
const present = new Map([[UUIDS[0]!, { uuid: UUIDS[0]!, device }]]);
const parse = (text: string) => parseVolumeGroup(text, present);
/** The group of kinds with some text put in the place of other. */
const with_ = (...changes: readonly (readonly [string, string])[]): string =>
  changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, GROUP_OF_KINDS);

describe('a volume group', () => {
  it('shows the volumes that a machine sees, and refuses by name what only the device-mapper puts together', () => {
    const { name, sequence, logicalVolumes } = parse(GROUP_OF_KINDS);
    expect([name, sequence]).toEqual(['vg', 14]);
    const refusals = logicalVolumes.map(({ name, refusal }) => [name, refusal?.message]);
    expect(refusals).toEqual(
      expect.arrayContaining([
        ['plain', undefined],
        ...Object.entries(REFUSED_KINDS).map(([name, why]) => [name, expect.stringContaining(`: ${why}.`)]),
      ]),
    );
    expect(refusals).toHaveLength(1 + Object.keys(REFUSED_KINDS).length);
  });

  it('maps a linear volume to its extents', async () => {
    const plain = parse(GROUP_OF_KINDS).logicalVolumes.find(({ name }) => name === 'plain')!;
    await plain.device!.write(MIB - 2, Buffer.from('across'));
    expect(plain.device!.sizeBytes).toBe(2 * MIB);
    expect(plain.offsetBytes).toBe(71 * MIB);
    expect(Buffer.from(await device.read(72 * MIB - 2, 6)).toString()).toBe('across');
    expect(Buffer.from(await plain.device!.read(MIB - 2, 6)).toString()).toBe('across');
  });

  it.each([
    ['exported', with_(['"RESIZEABLE", ', '"EXPORTED", ']), 'of an exported group'],
    [
      'missing',
      with_(['flags = []\n      dev_size', 'flags = ["MISSING"]\n      dev_size']),
      'without its physical volume',
    ],
    ['moved', with_(['"pv0", 70', '"pvmove0", 0']), 'being moved'],
    [
      'locked for writes',
      with_(['status = ["READ", "WRITE", "VISIBLE"]', 'status = ["READ", "VISIBLE"]']),
      'read-only',
    ],
  ])('%s is refused by name', (_, text, why) => {
    const plain = parse(text).logicalVolumes.find(({ name }) => name === 'plain')!;
    expect(plain.device).toBeUndefined();
    expect(plain.refusal!.message).toContain(why);
  });

  it.each([
    ['extents used twice', with_(['"pv0", 70', '"pv0", 19'])],
    ['extents outside a physical volume', with_(['"pv0", 70', '"pv0", 94'])],
    [
      'extents outside a physical volume',
      with_(['pe_count = 95', 'pe_count = 950'], ['"pv0", 70', '"pv0", 500']),
    ],
    ['a gap between segments', with_(['start_extent = 0', 'start_extent = 1'])],
    ['the extent size', with_(['extent_size = 2048', 'extent_size = 0'])],
    [
      'the lengths of stripes',
      with_(['start_extent = 0 extent_count = 2 ', 'start_extent = 0 extent_count = 0 ']),
    ],
    ['an entry is missing', with_(['extent_size = 2048', 'extent_size = -1'])],
    ['an entry is missing', with_(['seqno = 14', ''])],
    ['a name twice', with_(['seqno = 14', 'seqno = 14 seqno = 15'])],
    ['a section without an end', GROUP_OF_KINDS.slice(0, -4)],
    ['a list without an end', with_(['status = ["RESIZEABLE", ', 'status = ["RESIZEABLE" '])],
    ['sections too deep', 'a {'.repeat(20)],
    ['not one volume group', 'version = 1'],
    ['not the text', 'vg "'],
  ])('with damaged metadata is refused: %s', (what, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'LvmMetadataError' }));
    expect(() => parse(text)).toThrow(what);
  });
});

describe('the text of a group', () => {
  it('has values, lists, sections and comments', () => {
    const text = parseMetadataText(
      'a = "x \\"y\\" \\\\" # a = "z"\nn = 12\nl = [ 1, "two" ]\ne = []\n007 { b = 3 }\n#',
    );
    expect(text.text('a')).toBe('x "y" \\');
    expect(text.count('n')).toBe(12);
    expect([text.list('l'), text.list('e'), text.list('nothing')]).toEqual([[1, 'two'], [], []]);
    expect(text.section('007').count('b')).toBe(3);
  });

  it('is read in time that grows with its length, however it is made', () => {
    const long = 1_000_000;
    for (const text of [
      `a = "${'x'.repeat(long)}`,
      '#'.repeat(long),
      ' '.repeat(long),
      'a = ['.repeat(long / 5),
    ]) {
      try {
        parseMetadataText(text);
      } catch (error) {
        expect(error).toMatchObject({ name: 'LvmMetadataError' });
      }
    }
  });
});
