import { type DECISIONS, type Manifest } from '../manifest/manifest-schema';

export type Decision = (typeof DECISIONS)[number];

/** How many decisions a manifest lists. */
const LISTED = 1000;

/** Gathers how paths were decided that are not simply the same on every machine, with the reason of each. */
export class Decisions {
  private readonly paths: { path: string; decision: Decision; reason: string }[] = [];

  add(path: string, decision: Decision, reason: string): void {
    this.paths.push({ path, decision, reason });
  }

  addAll({ paths }: Decisions): void {
    this.paths.push(...paths);
  }

  /** Absent when everything is simply the same. */
  listed(): Manifest['decisions'] {
    if (this.paths.length === 0) return undefined;
    return { total: this.paths.length, paths: this.paths.slice(0, LISTED) };
  }
}
