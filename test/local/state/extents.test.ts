import { parseExtents, placesByBlock } from '../../../local/state/extents';

const OUTPUT = `Filesystem type is: 58465342
File size of volume.raw is 8589934592 (8589934592 blocks of 1 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..    4095:      40960..     45055:   4096:             shared
   1:     4096..   12287:      45056..     53247:   8192:
   2:  1048576.. 1572863:    2097152..   2621439: 524288:      53248: shared
   3:  1572864.. 1576959:    9000000..   9004095:   4096:    2621440: unwritten
   4:  2097152.. 2101247:    9500000..   9504095:   4096:    9004096: last,eof
volume.raw: 4 extents found
`;

test('rows of filefrag become extents; what continues is joined, what is unwritten left out', () => {
  expect(parseExtents(OUTPUT)).toEqual([
    { logical: 0, physical: 40_960, length: 12_288 },
    { logical: 1_048_576, physical: 2_097_152, length: 524_288 },
    { logical: 2_097_152, physical: 9_500_000, length: 4096 },
  ]);
});

test('a block is told apart as soon as a part of it lies elsewhere', () => {
  const before = placesByBlock([{ logical: 0, physical: 1_000_000, length: 1_572_864 }]);
  const after = placesByBlock([
    { logical: 0, physical: 1_000_000, length: 524_288 },
    { logical: 524_288, physical: 9_000_000, length: 4096 },
    { logical: 528_384, physical: 1_528_384, length: 1_044_480 },
  ]);
  const changed = [0, 1, 2].filter((index) => before.get(index) !== after.get(index));
  expect(changed).toEqual([1]);
});
