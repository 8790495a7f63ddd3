import { bytes, count, dollars, seconds } from './figures';
import { type Html, html } from './html';
import type { Outcome, ReportedClass, ReportedMachine } from './report';

/** How an outcome reads in a table, and its colour. */
const OUTCOMES: Readonly<Record<Outcome, readonly [text: string, tone: string]>> = {
  patched: ['patched', 'good'],
  'updated-online': ['updated online', 'online'],
  'up-to-date': ['up to date', 'good'],
  'would-be-patched': ['would be patched', 'good'],
  'would-be-updated-online': ['would be updated online', 'online'],
  'not-patched': ['left alone', 'left'],
  failed: ['failed', 'bad'],
  'rolled-back': ['rolled back', 'left'],
};

export function classCard(one: ReportedClass): Html {
  const { classId, round, representative, reason, failure, outputTail } = one;
  const kinds = Object.entries(one.operationsByKind ?? {}).map(
    ([kind, number]) => `${count(number)} ${kind}`,
  );
  return html`<section class="card">
    <h3>${classId} <span class="soft">round ${round}</span></h3>
    <p>
      Representative:
      ${representative.kind === 'clone' ? 'a clone of ' : ''}<code>${representative.instanceId}</code>${one.updateStatus === undefined ? undefined : `; the update ended with ${one.updateStatus}`}${one.updateSeconds === undefined ? undefined : ` after ${seconds(one.updateSeconds)}`}.
      ${one.memberCount} member(s), ${one.matchedCount} matched, ${one.patchedCount} patched.
    </p>
    <p class="soft small">${reason}</p>
    ${
      one.operationCount === undefined
        ? undefined
        : html`<p>
            Manifest: ${count(one.operationCount)} operations (${kinds.join(', ')}),
            ${bytes(one.contentBytes ?? 0)} of content, ${count(one.leftOutPaths ?? 0)} volatile paths left
            out.
            <span class="soft small"><code>${one.manifestKey}</code> <code>${one.manifestDigest}</code></span>
          </p>`
    }
    ${failure === undefined ? undefined : html`<p class="verdict bad">${failure.step}: ${failure.message} [${failure.error}]</p>`}
    ${
      outputTail === undefined || outputTail === ''
        ? undefined
        : html`<details>
            <summary>End of the update's output</summary>
            <pre>${outputTail}</pre>
          </details>`
    }
    ${
      one.cloneChanges.length === 0
        ? undefined
        : html`<details>
            <summary>What was changed on the clone before it ran</summary>
            <ul>
              ${one.cloneChanges.map(({ path, why }) => html`<li><code>${path}</code>: ${why}</li>`)}
            </ul>
          </details>`
    }
  </section>`;
}

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
