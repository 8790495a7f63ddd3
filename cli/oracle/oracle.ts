import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { demoMachines, type FleetFilesystem } from '../../local/fleet/fleet-machines';
import { ensureRequirements } from '../../local/fleet/requirements';
import { withPatchedFleet, type DemoOptions } from '../demo';
import { EMULATOR } from './boot-emulated';
import { runOracle } from './run-oracle';

/** One machine of each package set, and the one with the extra package; of the mixed fleet, one of every layout. */
const TWINS: Readonly<Record<FleetFilesystem, readonly string[]>> = {
  ext4: ['web-2', 'app-2', 'app-5'],
  xfs: ['web-2', 'app-2', 'app-5'],
  mixed: ['web-2', 'web-3', 'web-4', 'app-2', 'app-5'],
};

/**
 * Runs the oracle (docs/oracle.md) and tells what it finds; true when it holds.
 *
 * @param jsonFile where the result is written for a program to read
 */
export async function oracle(options: DemoOptions, jsonFile?: string): Promise<boolean> {
  const { tell } = options;
  const { filesystem } = options;
  const twins = TWINS[filesystem];
  if (filesystem === 'mixed') await ensureRequirements(tell, EMULATOR);
  return withPatchedFleet(
    options,
    demoMachines({ filesystem, twinsOf: twins }),
    async (open, { report, problems }) => {
      const patched = (report?.machines ?? [])
        .filter(({ outcome }) => outcome === 'patched')
        .map(({ name }) => name);
      const result = await runOracle({
        clients: open.clients,
        volumeFile: (volumeId) => path.join(open.cloud.diskFolder, 'volumes', `${volumeId}.raw`),
        cacheFolder: open.cacheFolder,
        twins,
        patched,
        tell,
      });
      for (const { machine, comparison } of result.cases) {
        const named = comparison.differences.length - comparison.unexplained.length;
        tell(
          `${machine}: ${comparison.paths} paths, ${named} named differences, ${comparison.unexplained.length} others`,
        );
        for (const { path: file, what, offline, online } of comparison.unexplained) {
          tell(`  DIFFERS ${file}: ${what} is ${offline} offline and ${online} online`);
        }
      }
      for (const { machine, problems: found } of [...result.judged, ...result.booted]) {
        for (const problem of found) tell(`PROBLEM ${machine}: ${problem}`);
      }
      for (const problem of problems) tell(`PROBLEM ${problem}`);
      const holds = result.holds && problems.length === 0;
      tell(holds ? 'the oracle holds' : 'the oracle does not hold');
      if (jsonFile !== undefined)
        await writeFile(
          jsonFile,
          JSON.stringify({ ...result, holds, problems, patched, report }, undefined, 2),
        );
      return holds;
    },
  );
}
