import type { FilesystemOperation, OperationMetadata } from '../support/filesystem-operations';
import type { KernelEntry, KernelTwin } from '../support/kernel-twin';

const metadata = (n: number): OperationMetadata => ({
  mode: [0o644, 0o755, 0o4711][n % 3]!,
  uid: n % 2 ? 1000 : 0,
  gid: 50,
  mtimeNs: `${1_500_000_000 + n}000000007`,
  xattrs: n % 4 === 0 ? { 'user.patched': '00ff', 'security.selinux': '73797374656d5f75' } : {},
});

/**
 * What an update might do to a tree: replaces, adds and removes files everywhere, links, sets owners and times. Performed
 * on the kernel's twin first: only what the kernel can do is returned.
 */
export async function patchOperations(
  twin: KernelTwin,
  entries: readonly KernelEntry[],
): Promise<FilesystemOperation[]> {
  const kept = entries.filter(({ path }) => !/^\/($|lost\+found)/.test(path));
  const chosen = kept.filter((_, n) => n % Math.ceil(kept.length / 150) === 0);
  const operations = chosen.flatMap(({ path, type }, n): FilesystemOperation[] => {
    const isDirectory = type === 'directory';
    const beside = isDirectory ? `${path}/added-${n}` : `${path.slice(0, path.lastIndexOf('/'))}/added-${n}`;
    const replace: FilesystemOperation = {
      operation: 'writeFile',
      path,
      seed: n,
      lengthBytes: (n * 977) % 9000,
      metadata: metadata(n),
    };
    switch (n % 6) {
      case 0:
        return [{ ...replace, path: beside }];
      case 1:
        return isDirectory ? [{ operation: 'mkdir', path, metadata: metadata(n) }] : [replace];
      case 2:
        return [{ operation: 'remove', path }];
      case 3:
        return [{ operation: 'link', existingPath: path, path: beside }];
      case 4:
        return [
          { operation: 'mkdir', path: beside, metadata: { ...metadata(n), mode: 0o755 } },
          {
            operation: 'symlink',
            path: `${beside}/link`,
            target: 't'.repeat((n * 7) % 300 || 1),
            metadata: { ...metadata(n), xattrs: {} },
          },
        ];
      default:
        return type === 'symlink' ? [] : [{ operation: 'setMetadata', path, metadata: metadata(n) }];
    }
  });
  // Times come last, as in a manifest: engines set them together.
  for (const [n, { path }] of chosen.entries()) {
    if (n % 3 === 0)
      operations.push({ operation: 'setTime', path, mtimeNs: `${1_400_000_000 + n}000000001` });
  }
  const outcomes = await twin.perform(operations);
  return operations.filter((_, n) => outcomes[n] === 'ok');
}
