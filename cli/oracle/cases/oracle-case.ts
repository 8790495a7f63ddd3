import type { Report } from '../../../core/report/report';
import type { Update } from '../../../core/update/update';
import type { PendingUpdates } from '../../../local/fleet/demo-fleet';
import type { FleetFilesystem, FleetMachine } from '../../../local/fleet/fleet-machines';
import type { NamedDifference } from '../named-differences';

/** A real update, the fleet that gets it, and how a twin of each machine gets it by its own means. */
export interface OracleCase {
  readonly name: string;
  /** For people, in one line: what the update does. */
  readonly about: string;
  readonly machines: (filesystem: FleetFilesystem) => FleetMachine[];
  /** Deployed in the place of the app's own; without it, the app's `security`. */
  readonly update?: Update;
  /** Without it, what the command line says. */
  readonly pending?: PendingUpdates;
  /** Puts files where the machines find them as http://repository.local. */
  readonly publish?: (repositoryFolder: string) => Promise<void>;
  /** Shell lines that an administrator would type on the twin. */
  readonly online: readonly string[];
  /** Beyond those of every case. */
  readonly named: readonly NamedDifference[];
  /** The patched machines are booted once before they are compared: their first boot does a part of the update. */
  readonly hasFirstBoot?: true;
  /** One of the patched machines is booted with the kernel that it was given, too. */
  readonly hasOwnKernel?: true;
  /** Units that are active on each machine afterwards, besides SSH where it is installed. */
  readonly units?: readonly string[];
  /** A package that all machines have afterwards: start of a line of dpkg-query (boot-instance.ts). */
  readonly installed?: string;
  /** Shell lines that print the same on a booted patched machine and on its twin, and end well. */
  readonly same?: readonly string[];
  /** Shell lines that print something else on every machine of the fleet. */
  readonly distinct?: readonly string[];
  /** What else must hold of the run's report; each sentence is a problem. */
  readonly reportProblems?: (report: Report) => string[];
}
