/** A `newc` archive of plain files, as cpio writes it. */
export function makeCpio(files: Readonly<Record<string, string>>, mtimeSeconds: number): Buffer {
  let inode = mtimeSeconds % 1000;
  const entry = (name: string, content: string): Buffer => {
    const fields = [inode++, 0o100644, 0, 0, 1, mtimeSeconds, content.length, 8, 1, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
    const padded = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, '\0');
    return Buffer.from(padded(header) + padded(content), 'latin1');
  };
  const entries = Object.entries(files).map(([name, content]) => entry(name, content));
  return Buffer.concat([...entries, entry('TRAILER!!!', '')]);
}
