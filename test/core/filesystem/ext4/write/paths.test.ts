import { namesOf, splitPath } from '../../../../../core/filesystem/ext4/write/paths';

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
    expect(namesOf(`/${'é'.repeat(127)}`)).toHaveLength(1);
    expect(() => namesOf(`/${'é'.repeat(128)}`)).toThrow(
      expect.objectContaining({ name: 'InvalidPathError' }),
    );
  });

  it.each(['', 'a', 'a/b', '//', '/a/', '/a//b', '/./a', '/a/..', '/a\0'])('refuse %j', (path) => {
    expect(() => namesOf(path)).toThrow(expect.objectContaining({ name: 'InvalidPathError' }));
  });

  it('do not name the root as an entry', () => {
    expect(() => splitPath('/')).toThrow(expect.objectContaining({ name: 'InvalidPathError' }));
  });
});
