import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import { entryDigest } from '../footprint/entry-digest';
import type { DeferredStep } from '../generated/generators';
import type { Image } from '../image/image';
import { parentOf } from '../manifest/image-path';
import type { ManifestMetadata, Operation } from '../manifest/manifest-schema';
import { firstBootNames, firstBootScript, firstBootUnit } from './first-boot-script';

export interface FirstBoot {
  /** To be performed after all others. */
  readonly operations: readonly Operation[];
  readonly contents: ReadonlyMap<Digest, Uint8Array>;
  /** Why the steps cannot be left to the first boot. */
  readonly problems: readonly string[];
}

/** SELinux keeps systemd from reading a unit without the label that its directory's units have. */
const LABEL = 'security.selinux';

/**
 * Operations that put a unit on a machine which does the steps at its next boot; none when there are no steps.
 *
 * @param after the representative after the update
 */
export async function firstBootOperations(
  steps: readonly DeferredStep[],
  after: Image,
  mtimeNs: bigint,
): Promise<FirstBoot> {
  if (steps.length === 0) return { operations: [], contents: new Map(), problems: [] };
  const id = digestOf(Buffer.from(JSON.stringify(steps))).slice('sha256:'.length, 'sha256:'.length + 8);
  const names = firstBootNames(id);
  const units = parentOf(names.unit);
  if ((await after.lstat(units))?.type !== 'directory') {
    const problem = 'its machines are not booted by systemd, which does what is left to their first boot';
    return { operations: [], contents: new Map(), problems: [problem] };
  }
  const label = (await after.xattrs(units)).get(LABEL);
  const xattrs = new Map(label === undefined ? [] : [[LABEL, label] as const]);
  const metadata = (mode: number): ManifestMetadata => ({
    mode,
    uid: 0,
    gid: 0,
    mtimeNs: String(mtimeNs),
    xattrs: Object.fromEntries(
      [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  });
  const facts = (mode: number) => ({ mode, uid: 0, gid: 0, xattrs });
  const contents = new Map<Digest, Uint8Array>();
  const file = (path: string, text: string, mode: number): Operation => {
    const bytes = Buffer.from(text);
    const content = digestOf(bytes);
    contents.set(content, bytes);
    return {
      kind: 'put-file',
      path,
      before: 'absent',
      after: entryDigest({ type: 'file', ...facts(mode), content }),
      content,
      sizeBytes: bytes.length,
      metadata: metadata(mode),
    };
  };
  const operations: Operation[] = [];
  const wants = parentOf(names.link);
  if ((await after.lstat(wants))?.type !== 'directory') {
    operations.push({
      kind: 'make-directory',
      path: wants,
      before: 'absent',
      after: entryDigest({ type: 'directory', ...facts(0o755) }),
      metadata: metadata(0o755),
    });
  }
  operations.push(
    file(names.script, firstBootScript(names, steps), 0o755),
    file(names.unit, firstBootUnit(names, steps), 0o644),
    {
      kind: 'make-symlink',
      path: names.link,
      before: 'absent',
      after: entryDigest({ type: 'symlink', ...facts(0o777), target: names.unit }),
      target: names.unit,
      metadata: metadata(0o777),
    },
  );
  return { operations, contents, problems: [] };
}
