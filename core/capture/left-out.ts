import type { Manifest } from '../manifest/manifest-schema';
import type { ChangedPath } from './changed-paths';
import { type VolatileRule, volatileRule } from './volatile-paths';

/** How many paths that were left out a manifest lists. */
const LISTED = 1000;

const SOCKET: VolatileRule = { pattern: '', reason: 'a socket is made by the process that listens on it' };

/** Gathers what changed on the representative and is not captured, with the reason. */
export class LeftOut {
  readonly warnings: string[] = [];
  private readonly paths: { path: string; reason: string }[] = [];
  private readonly ruleOf: (path: string) => VolatileRule | undefined;

  constructor(rules: readonly VolatileRule[]) {
    this.ruleOf = volatileRule(rules);
  }

  /** Whether this path is left out; it is then on the list. */
  takes({ path, before, after }: ChangedPath): boolean {
    const rule = this.ruleOf(path) ?? (after?.type === 'socket' ? SOCKET : undefined);
    if (rule === undefined) return false;
    this.paths.push({ path, reason: rule.reason });
    if (rule.isOwn && before === undefined && after?.type === 'file') {
      this.warnings.push(
        `${path} is new and ${rule.reason}: a machine patched offline lacks it until something makes it there`,
      );
    }
    return true;
  }

  /** Those for which no reason is given; the others are then on the list. */
  without(
    changes: readonly ChangedPath[],
    reasons: ReadonlyMap<string, string> = new Map(),
  ): readonly ChangedPath[] {
    return changes.filter(({ path }) => {
      const reason = reasons.get(path);
      if (reason !== undefined) this.paths.push({ path, reason });
      return reason === undefined;
    });
  }

  listed(): Manifest['leftOut'] {
    return { total: this.paths.length, paths: this.paths.slice(0, LISTED) };
  }
}
