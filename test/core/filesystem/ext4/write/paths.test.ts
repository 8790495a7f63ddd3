import { namesOf } from '../../../../../core/filesystem/path-names';
import { splitPath } from '../../../../../core/filesystem/ext4/write/paths';

const INVALID = expect.objectContaining({ name: 'InvalidPathError' });

describe('paths', () => {
  it('are split into directory and name', () => {
    expect(splitPath('/a')).toEqual({ parent: '/', name: Buffer.from('a') });
    expect(splitPath('/a/b/c')).toEqual({ parent: '/a/b', name: Buffer.from('c') });
    expect(namesOf('/')).toEqual([]);
    expect(namesOf('/a/b')).toEqual(['a', 'b']);
  });

  it('keep bytes that are not UTF-8', () => {
    expect(Buffer.from(splitPath('/caf\udce9').name)).toEqual(Buffer.from([0x63, 0x61, 0x66, 0xe9]));
  });

  it('are counted in bytes, of which a name has 255', () => {
    expect(splitPath(`/${'é'.repeat(127)}`).name).toHaveLength(254);
    expect(() => splitPath(`/${'é'.repeat(128)}`)).toThrow(INVALID);
    expect(() => splitPath(`/${'é'.repeat(128)}/a`)).toThrow(INVALID);
  });

  it.each(['', 'a', 'a/b', '//', '/a/', '/a//b', '/./a', '/a/..'])('refuse %j', (path) => {
    expect(() => namesOf(path)).toThrow(INVALID);
    expect(() => splitPath(path)).toThrow(INVALID);
  });

  it.each(['/', '/a\0', '/a\0/b'])('do not name %j as an entry', (path) => {
    expect(() => splitPath(path)).toThrow(INVALID);
  });
});
