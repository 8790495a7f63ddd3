import type { ChangedPath } from '../capture/changed-paths';
import type { Decision } from '../capture/decisions';
import { followLinks } from '../image/follow-links';
import type { Image } from '../image/image';
import { parentOf } from '../manifest/image-path';
import { type DeferredStep, deferredStep, generatorOf, inOrder } from './generators';
import { generatedRule, needsTarget, type OwnEntryRule } from './own-entry-rules';

export interface OwnEntries {
  /** The changes that no rule is for. */
  readonly others: readonly ChangedPath[];
  /** What has to be done on each machine at its first boot, so that it has its own of what the update made. */
  readonly steps: readonly DeferredStep[];
  /** Why no machine can be patched offline. */
  readonly onlyOnline: readonly string[];
  /** Of the topmost path of each tree that was set aside. */
  readonly decisions: readonly {
    readonly path: string;
    readonly decision: Decision;
    readonly reason: string;
  }[];
  readonly warnings: readonly string[];
}

/**
 * Takes out of an update's changes what every machine must have of its own: it is never copied. What the update made
 * new is generated on each machine, or no machine can be patched offline; what it changed is left to each machine.
 *
 * @param after the representative after the update
 */
export async function setAsideOwnEntries(changes: readonly ChangedPath[], after: Image): Promise<OwnEntries> {
  const others: ChangedPath[] = [];
  const taken = new Map<string, { readonly change: ChangedPath; readonly rule: OwnEntryRule }>();
  for (const change of changes) {
    const rule = await ruleFor(change, after);
    if (rule === undefined) others.push(change);
    else taken.set(change.path, { change, rule });
  }
  const made = new Map<string, { rule: OwnEntryRule; paths: string[] }>();
  const decisions: OwnEntries['decisions'][number][] = [];
  const warnings: string[] = [];
  const onlyOnline: string[] = [];
  const needOnline = (path: string, reason: string): void => {
    onlyOnline.push(`the update makes ${path}: ${reason}`);
  };
  for (const [path, { change, rule }] of taken) {
    const isNew = change.before === undefined && change.after !== undefined;
    const isTop = taken.get(parentOf(path))?.rule !== rule;
    if (isNew) {
      const known = made.get(rule.name) ?? { rule, paths: [] };
      known.paths.push(path);
      made.set(rule.name, known);
    }
    if (!isTop) continue;
    const decision = isNew && rule.whenNew === 'generated' ? 'generated' : 'left-out';
    decisions.push({ path, decision, reason: rule.reason });
    if (isNew) {
      if (rule.whenNew === 'only-online') needOnline(path, rule.reason);
    } else if (rule.whenChanged === 'only-online') needOnline(path, rule.reason);
    else if (rule.whenChanged === 'left-out-with-warning')
      warnings.push(`${path} changed and is left as it is on other machines: ${rule.reason}`);
  }
  const steps: DeferredStep[] = [];
  for (const { rule, paths } of made.values()) {
    if (rule.whenNew !== 'generated') continue;
    const generator = generatorOf(rule.name);
    const commands = generator?.commands(paths);
    if (generator === undefined || commands === undefined || !(await isThere(after, generator.program)))
      needOnline(paths[0]!, `${rule.reason}, and what makes it is not on the machine`);
    else steps.push(deferredStep(generator, commands));
  }
  return { others, steps: inOrder(steps), onlyOnline, decisions, warnings };
}

async function ruleFor(change: ChangedPath, after: Image): Promise<OwnEntryRule | undefined> {
  const { path } = change;
  const target =
    change.after?.type === 'symlink' && needsTarget(path) ? await after.readlink(path) : undefined;
  const rule = generatedRule(path, target);
  // A link to the machine-id proper is no identity.
  return rule?.name === 'dbus-machine-id' && change.after?.type === 'symlink' ? undefined : rule;
}

async function isThere(image: Image, program: string): Promise<boolean> {
  return (await followLinks(image, program)) !== undefined;
}
