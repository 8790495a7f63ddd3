import { explain, type Explanation, type FallenOut as Machine } from '../match/explain';
import type { MatchDocument } from '../workflow/documents';
import type { MachineFacts, RunFacts } from './run-facts';

/** Machines that did not fit a class, and why, in one line each. */
export class FallenOut {
  private readonly byClass = new Map<string, Explanation>();
  private readonly byMatch = new Map<MatchDocument, Machine>();

  constructor(private readonly facts: RunFacts) {
    for (const machine of facts.machines) {
      for (const match of machine.matches.filter(({ matched }) => !matched)) this.add(machine, match);
    }
  }

  /** Undefined for a machine that matched, or was not compared. */
  why(match: MatchDocument | undefined): string | undefined {
    const one = match && this.byMatch.get(match);
    const explanation = match && this.byClass.get(match.classId);
    if (one === undefined || explanation === undefined || one.differences.length === 0) return undefined;
    return `${explain(one, explanation)}.`;
  }

  private add({ target, packages }: MachineFacts, match: MatchDocument): void {
    const { classId, differences, differenceCount } = match;
    const one = { name: target.name, differences, differenceCount, packages };
    const known = this.byClass.get(classId);
    this.byMatch.set(match, one);
    this.byClass.set(classId, {
      representative: known?.representative ?? this.representativeOf(classId),
      fallenOut: [...(known?.fallenOut ?? []), one],
    });
  }

  private representativeOf(classId: string): Explanation['representative'] {
    const document = this.facts.classes.find((one) => one.document.classId === classId)?.document;
    if (document === undefined) return { name: `the machine of class ${classId}` };
    const { instanceId, kind } = document.representative;
    const machine = this.facts.machines.find(({ target }) => target.instanceId === instanceId);
    const name = machine?.target.name ?? instanceId;
    // What an earlier run saw of its packages may not be so any more.
    if (kind === 'recorded') return { name: `${name} in run ${document.recorded?.run}` };
    return { name: kind === 'clone' ? `the clone of ${name}` : name, packages: machine?.packages };
  }
}
