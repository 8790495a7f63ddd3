import pLimit from 'p-limit';
import { NAMED_DIFFERENCES, namedDifference } from '../../cli/oracle/named-differences';
import { runProgram } from '../../local/fleet/run-program';
import { script } from './fleet-images';
import { type MachinePlan, outcomeOf } from './fleet-plan';
import type { OnlineRun } from './online-updates';

/** What judge.py says of one entry that changed. */
export interface ChangedEntry {
  readonly path: string;
  readonly type: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly owner?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly content?: string;
  readonly text?: string;
  readonly added?: readonly string[];
  readonly gone?: readonly string[];
}

export type Effects = ReadonlyMap<string, ChangedEntry>;

const judging = pLimit(3);

/** What was done to a machine, told by the kernel's own driver; what is different on every machine is not in it. */
export function effectsOf(before: string, after: string): Promise<Effects> {
  return judging(async () => {
    const printed = await runProgram('sh', [script('judge.sh'), before, after]);
    const entries = printed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ChangedEntry)
      .filter(({ path }) => namedDifference(path, 'content', NAMED_DIFFERENCES) === undefined);
    return new Map(entries.map((entry) => [entry.path, entry]));
  });
}

/** How an offline patched machine differs from the same machine updated online. */
export function differencesBetween(offline: Effects, online: Effects): string[] {
  const differences: string[] = [];
  for (const path of [...new Set([...offline.keys(), ...online.keys()])].sort()) {
    const [a, b] = [offline.get(path), online.get(path)];
    // A directory whose time alone changed has no other effect.
    if (a === undefined || b === undefined) {
      const only = a ?? b!;
      if (only.type !== DIRECTORY)
        differences.push(`${path}: only ${a === undefined ? 'online' : 'offline'}`);
      continue;
    }
    for (const field of ['type', 'mode', 'uid', 'gid', 'content', 'xattrs'] as const) {
      const [left, right] = [JSON.stringify(a[field]), JSON.stringify(b[field])];
      if (left !== right) differences.push(`${path}: ${field} ${left} is ${right} online`);
    }
  }
  return differences;
}

const DIRECTORY = '0o40000';

/**
 * Machines by the name of their outcome, after the plan's word for it has been held against what really happened: all of
 * one name did the same but for their own values, and no two names did.
 */
export function outcomes(
  update: string,
  runs: readonly OnlineRun[],
  effects: ReadonlyMap<string, Effects>,
): { readonly byName: ReadonlyMap<string, readonly MachinePlan[]>; readonly mistakes: readonly string[] } {
  const byName = Map.groupBy(
    runs.map(({ machine }) => machine),
    (machine) => outcomeOf(update, machine),
  );
  const mistakes: string[] = [];
  const templates = new Map<string, string>();
  for (const [name, machines] of byName) {
    const reference = machines.find(({ hostName }) => hostName.includes('-')) ?? machines[0]!;
    const template = neutral(canonical(effects.get(reference.instanceId)!), reference);
    for (const machine of machines) {
      const own = canonical(effects.get(machine.instanceId)!);
      if (rendered(template, machine) === own) continue;
      mistakes.push(
        `${update}: ${machine.hostName} and ${reference.hostName} both "${name}", and differ: ${firstDifference(rendered(template, machine), own)}`,
      );
    }
    for (const [other, text] of templates) {
      if (text === template) mistakes.push(`${update}: "${name}" and "${other}" are one outcome`);
    }
    templates.set(name, template);
  }
  return { byName, mistakes };
}

/** Owners by name, and no numbers that depend on who had them before. */
function canonical(effects: Effects): string {
  const lines = [...effects.values()]
    // A backup shows its table one write earlier, and so what was done by hand before.
    .filter(({ path }) => !/^\/etc\/\w+-$|-old$/.test(path))
    .filter(
      ({ type, path }) => type !== DIRECTORY || path.startsWith('/var/lib/') || path.startsWith('/etc/'),
    )
    .map(({ path, type, mode, owner, xattrs, content, text, added, gone }) =>
      JSON.stringify({
        path,
        type,
        mode,
        owner,
        xattrs,
        ...(added === undefined
          ? { content: text ?? content }
          : {
              added: added.map((line) => withoutIds(path, line)).sort(),
              gone: gone!.map((line) => withoutIds(path, line)).sort(),
            }),
      }),
    );
  return lines.sort().join('\n');
}

const withoutIds = (path: string, line: string): string =>
  /^\/etc\/(passwd|group)-?$/.test(path) ? line.replaceAll(/:\d+(?=:)/g, ':#') : line;

const ownValues = ({ hostName, machineId, filesystemUuid }: MachinePlan): [string, string][] => [
  [machineId, '\u0001id\u0001'],
  [filesystemUuid, '\u0001uuid\u0001'],
  [hostName, '\u0001name\u0001'],
];

function neutral(text: string, machine: MachinePlan): string {
  return ownValues(machine).reduce((done, [value, token]) => done.replaceAll(value, token), text);
}

function rendered(template: string, machine: MachinePlan): string {
  return ownValues(machine).reduce((done, [value, token]) => done.replaceAll(token, value), template);
}

function firstDifference(a: string, b: string): string {
  const [left, right] = [new Set(a.split('\n')), new Set(b.split('\n'))];
  const only = [...left].find((line) => !right.has(line)) ?? '';
  const other = [...right].find((line) => !left.has(line)) ?? '';
  return `${only.slice(0, 300)} | ${other.slice(0, 300)}`;
}
