import { bytes, count, dollars, seconds } from './figures';
import { type Html, html } from './html';
import type { Outcome, ReportedMachine } from './report';

/** How an outcome reads in a table, and its colour. */
const OUTCOMES: Readonly<Record<Outcome, readonly [text: string, tone: string]>> = {
  patched: ['patched', 'good'],
  'updated-online': ['updated online', 'online'],
  'up-to-date': ['up to date', 'good'],
  checked: ['checked', 'good'],
  'would-be-patched': ['would be patched', 'good'],
  'would-be-updated-online': ['would be updated online', 'online'],
  'not-patched': ['left alone', 'left'],
  failed: ['failed', 'bad'],
  'rolled-back': ['rolled back', 'left'],
};

export function machineTable(machines: readonly ReportedMachine[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Instance</th>
          <th>Outcome</th>
          <th>What happened</th>
          <th>Class</th>
          <th class="number">Time</th>
          <th class="number">Blocks read</th>
          <th class="number">Blocks written</th>
          <th class="number">Calls cost</th>
          <th>Volumes</th>
        </tr>
      </thead>
      <tbody>
        ${machines.map(machineRow)}
      </tbody>
    </table>
  </div>`;
}

function machineRow(machine: ReportedMachine): Html {
  const { usage, differences, oldVolumeIds, newVolumeIds } = machine;
  const [text, tone] = OUTCOMES[machine.outcome];
  return html`<tr>
    <td>
      <b>${machine.name}</b><br /><code class="id">${machine.instanceId}</code><br />
      <span class="soft small"
        >${machine.state}${machine.filesystems.map(({ mountPoint, kind }) => html`<br />${mountPoint} ${kind}`)}</span
      >
    </td>
    <td><span class="tag ${tone}">${text}</span></td>
    <td class="wide">
      ${machine.sentence}${
        differences.length === 0
          ? undefined
          : html`<details>
              <summary>Differences</summary>
              <ul>
                ${differences.map(({ path, record, why }) => html`<li><code>${path}</code>${record === undefined ? undefined : ` (${record})`}: ${why}</li>`)}
              </ul>
            </details>`
      }
    </td>
    <td><code class="id">${machine.classId}</code></td>
    <td class="number">${seconds(machine.seconds)}</td>
    <td class="number">
      ${count(usage.getBlocks)}<br /><span class="soft small">${bytes(usage.bytesRead)}</span>
    </td>
    <td class="number">
      ${count(usage.putBlocks)}<br /><span class="soft small">${bytes(usage.bytesWritten)}</span>
    </td>
    <td class="number">${dollars(machine.usd)}</td>
    <td class="small">
      ${oldVolumeIds.map((old, at) => html`<code class="id">${old}</code> was replaced by <code class="id">${newVolumeIds[at]}</code><br />`)}
    </td>
  </tr>`;
}
