import { decodeName, encodeName } from '../bytes/names';
import { isImagePath, parentOf } from '../manifest/image-path';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import { renderContent } from './render-content';

/** The paths of one machine by those of the representative, where its own values stand in them. */
export class RenderedPaths {
  private readonly paths = new Map<string, string>();

  /** @param problem is told of paths that cannot be made for this machine, with the reason */
  constructor(
    operations: readonly Operation[],
    values: ReadonlyMap<string, string>,
    problem: (path: string, why: string) => void,
  ) {
    for (const { path, pathSubstitutions } of operations) {
      if (pathSubstitutions === undefined) continue;
      const made = renderContent(encodeName(path), pathSubstitutions, values);
      if ('problem' in made) {
        problem(path, made.problem);
        continue;
      }
      const rendered = decodeName(made.bytes);
      // The values are a stranger's: none may lead elsewhere.
      if (!isImagePath(rendered) || rendered.split('/').length !== path.split('/').length) {
        problem(path, 'the value that this machine has for it is no name of a file');
      } else if (rendered !== path) this.paths.set(path, rendered);
    }
    this.checkApart(operations, problem);
  }

  /** Where two paths of the update are one on this machine, it is not known what its own run would leave there. */
  private checkApart(operations: readonly Operation[], problem: (path: string, why: string) => void): void {
    if (this.paths.size === 0) return;
    const made = new Set<string>();
    for (const original of new Set(operations.map(({ path }) => path))) {
      const path = this.of(original);
      if (made.has(path))
        problem(path, 'with the values of this machine two paths of the update are this one');
      made.add(path);
    }
  }

  of(path: string): string {
    const known = this.paths.get(path);
    if (known !== undefined || this.paths.size === 0 || path === '/') return known ?? path;
    const parent = parentOf(path);
    const folder = this.of(parent);
    return folder === parent ? path : `${folder}${path.slice(parent.length)}`;
  }

  operation(operation: Operation): Operation {
    if (this.paths.size === 0) return operation;
    const path = this.of(operation.path);
    if (operation.kind === 'make-hard-link') {
      return { ...operation, path, existingPath: this.of(operation.existingPath) };
    }
    return path === operation.path ? operation : { ...operation, path };
  }

  times(times: Manifest['times']): Manifest['times'] {
    if (this.paths.size === 0) return times;
    return times.map((time) => ({ ...time, path: this.of(time.path) }));
  }
}
