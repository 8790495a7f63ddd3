import Table from 'cli-table3';
import type { Report } from '../../core/report/report';

/** The report of a run as a terminal shows it: a line for each machine, then what it all cost. */
export function reportTable(report: Report): string {
  const table = new Table({
    head: ['machine', 'was', 'filesystems', 'outcome', 'class', 'put', 'read', 'seconds', 'what happened'],
    colWidths: [12, 9, 13, 18, 14, 6, 6, 9, 70],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const machine of [...report.machines].sort((a, b) => a.name.localeCompare(b.name))) {
    table.push([
      machine.name,
      machine.state,
      machine.filesystems.map(({ mountPoint, kind }) => `${mountPoint} ${kind}`).join('\n'),
      machine.outcome,
      machine.classId ?? '',
      machine.usage.putBlocks,
      machine.usage.getBlocks,
      machine.seconds.toFixed(1),
      machine.sentence,
    ]);
  }
  const { usage, cost } = report;
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return [
    table.toString(),
    classTable(report),
    report.summary,
    `${usage.getBlocks} blocks read (${mib(usage.bytesRead)}), ${usage.putBlocks} put (${mib(usage.bytesWritten)}); ${cost.estimated ? 'a run would cost about' : 'on AWS this would have cost about'} $${cost.usd.toFixed(4)}`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

/** A line for each class: where the update was run, how often, and how many machines that served. */
function classTable({ classes }: Report): string {
  const table = new Table({
    head: ['class', 'round', 'update run on', 'data points', 'members', 'matched', 'patched', 'operations'],
    style: { head: [], border: [] },
  });
  for (const one of classes) {
    const { representative, recorded, dataPoints = [] } = one;
    const used = dataPoints.filter(({ used: told }) => told).length;
    table.push([
      one.classId,
      one.round,
      recorded !== undefined
        ? `not run: known from run ${recorded.run}, ${recorded.ageHours.toFixed(1)} h ago`
        : [
            `${representative.kind} ${representative.instanceId}`,
            ...(one.witness === undefined ? [] : [`witness ${one.witness.instanceId}`]),
          ].join('\n'),
      used,
      one.memberCount,
      one.matchedCount,
      one.patchedCount,
      one.operationCount ?? '',
    ]);
  }
  return table.toString();
}
