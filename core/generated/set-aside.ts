import type { ChangedPath } from '../capture/changed-paths';
import type { Decision } from '../capture/decisions';
import { followLinks } from '../image/follow-links';
import type { Image } from '../image/image';
import { parentOf } from '../manifest/image-path';
import { type DeferredStep, deferredStep, generatorOf, inOrder, removalStep } from './generators';
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

/** Keys and boot images are small. */
const LARGEST_COMPARED_BYTES = 16 * 1024 * 1024;

/**
 * Takes out of an update's changes what every machine must have of its own: it is never copied. What the update made
 * new is generated on each machine, or no machine can be patched offline; what it changed is left to each machine.
 *
 * What it removed is removed at their first boot.
 *
 * @param before the machine on which the update was run, before it
 */
export async function setAsideOwnEntries(
  changes: readonly ChangedPath[],
  before: Image,
  after: Image,
): Promise<OwnEntries> {
  const others: ChangedPath[] = [];
  const taken = new Map<string, { readonly change: ChangedPath; readonly rule: OwnEntryRule }>();
  for (const change of changes) {
    const rule = await ruleFor(change, before, after);
    if (rule?.whenChanged === 'only-online' && (await isSameFile(change, before, after))) continue;
    if (rule === undefined) others.push(change);
    else taken.set(change.path, { change, rule });
  }
  const made = new Map<string, { rule: OwnEntryRule; paths: string[] }>();
  const decisions: OwnEntries['decisions'][number][] = [];
  const warnings: string[] = [];
  const onlyOnline: string[] = [];
  const needOnline = (path: string, reason: string, does = 'makes'): void => {
    onlyOnline.push(`the update ${does} ${path}: ${reason}`);
  };
  const removed = new Map<string, string[]>();
  for (const [path, { change, rule }] of taken) {
    const isNew = change.before === undefined && change.after !== undefined;
    const isRemoved = change.after === undefined;
    const isTop = taken.get(parentOf(path))?.rule.name !== rule.name;
    if (isNew) {
      const known = made.get(rule.name) ?? { rule, paths: [] };
      known.paths.push(path);
      made.set(rule.name, known);
    }
    if (isRemoved && rule.whenRemoved === 'removed-at-boot') {
      removed.set(rule.name, [...(removed.get(rule.name) ?? []), path]);
      decisions.push({ path, decision: 'deferred', reason: `removed at the first boot: ${rule.reason}` });
      continue;
    }
    if (isRemoved && rule.whenRemoved === 'only-online') needOnline(path, rule.reason, 'removes');
    if (!isTop) continue;
    const decision = isNew && rule.whenNew === 'generated' ? 'generated' : 'left-out';
    decisions.push({ path, decision, reason: rule.reason });
    if (isNew) {
      if (rule.whenNew === 'only-online') needOnline(path, rule.reason);
    } else if (isRemoved) continue;
    else if (rule.whenChanged === 'only-online') needOnline(path, rule.reason, 'changes');
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
    else {
      const problems = (await generator.problems?.(paths, after)) ?? [];
      if (problems.length === 0) steps.push(deferredStep(generator, commands));
      onlyOnline.push(...problems.map((problem) => `${problem}, which no other machine would get`));
    }
  }
  for (const [rule, paths] of removed) steps.push(removalStep(rule, paths));
  return { others, steps: inOrder(steps), onlyOnline, decisions, warnings };
}

async function ruleFor(change: ChangedPath, before: Image, after: Image): Promise<OwnEntryRule | undefined> {
  const { path } = change;
  const [image, stat] = change.after === undefined ? [before, change.before] : [after, change.after];
  const target = stat?.type === 'symlink' && needsTarget(path) ? await image.readlink(path) : undefined;
  const rule = generatedRule(path, target);
  // A link to the machine-id proper is no identity.
  return rule?.name === 'dbus-machine-id' && stat?.type === 'symlink' ? undefined : rule;
}

/** Written anew with what it held. */
async function isSameFile(change: ChangedPath, before: Image, after: Image): Promise<boolean> {
  const { path } = change;
  if (change.before?.type !== 'file' || change.after?.type !== 'file') return false;
  if (change.before.sizeBytes !== change.after.sizeBytes || change.after.sizeBytes > LARGEST_COMPARED_BYTES)
    return false;
  return Buffer.from(await before.readFile(path)).equals(await after.readFile(path));
}

async function isThere(image: Image, program: string): Promise<boolean> {
  return (await followLinks(image, program)) !== undefined;
}
