import { bytes, count, seconds } from './figures';
import { type Html, html } from './html';
import type { ReportedClass, ReportedUpdate } from './report';

/** One class of the report: where the update was run, what it came to, and what was decided about it. */
export function classCard(one: ReportedClass): Html {
  const { classId, round, reason, failure } = one;
  return html`<section class="card">
    <h3>${classId} <span class="soft">round ${round}</span></h3>
    <p>
      ${representative(one)}${witness(one)}${earlier(one)} ${one.memberCount} member(s), ${one.matchedCount}
      matched, ${one.patchedCount} patched.
    </p>
    <p class="soft small">${reason}</p>
    ${manifest(one)} ${warnedOnline(one)}
    ${failure === undefined ? undefined : html`<p class="verdict bad">${failure.step}: ${failure.message} [${failure.error}]</p>`}
    ${rules(one)} ${firstBoot(one)} ${decisions(one)} ${output("End of the update's output", one.update)}
    ${output("End of the update's output on the witness", one.witness)} ${cloneChanges(one)}
  </section>`;
}

function representative({ representative: { instanceId, kind }, update, recorded }: ReportedClass): Html {
  if (recorded !== undefined) {
    return html`Known from run ${recorded.run}, which ran the update on
    ${recorded.instanceIds.map((id, at) => html`${at === 0 ? '' : ' and '}<code>${id}</code>`)}
    ${age(recorded.ageHours)} ago (${recorded.capturedAt}): it was not run again.`;
  }
  return html`Representative:
  ${kind === 'clone' ? 'a clone of ' : ''}<code>${instanceId}</code>${ended(update)}.`;
}

/** Why a class of a later round needed no witness, or one all the same. */
function earlier({ dataPoints = [] }: ReportedClass): Html | undefined {
  const other = dataPoints.find(({ role }) => role === 'earlier');
  if (other === undefined) return undefined;
  return other.used
    ? html` <code>${other.instanceId}</code> of another class did the same, so that no witness was needed.`
    : html` <code>${other.instanceId}</code> of another class was no second data point: ${other.note ?? ''}.`;
}

/** Why there is one data point only stands in the note of the second. */
function witness({ dataPoints = [], witness: update }: ReportedClass): Html | undefined {
  const second = dataPoints.find(({ role }) => role === 'witness');
  if (second === undefined) return undefined;
  const told = second.used ? '' : ` It told nothing: ${second.note ?? 'it was not compared'}`;
  return html` Witness:
  ${second.kind === 'clone' ? 'the clone ' : ''}<code>${second.instanceId}</code>${ended(update)}.${told}`;
}

function ended(update: ReportedUpdate | undefined): string {
  if (update === undefined) return '';
  const after = update.seconds === undefined ? '' : ` after ${seconds(update.seconds)}`;
  return `; the update ended with ${update.status}${after}`;
}

const age = (hours: number): string =>
  hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(0)} days`;

function manifest(one: ReportedClass): Html | undefined {
  if (one.operationCount === undefined) return undefined;
  const kinds = Object.entries(one.operationsByKind ?? {}).map(
    ([kind, number]) => `${count(number)} ${kind}`,
  );
  const { recording, accounts = [] } = one;
  return html`<p>
    Manifest: ${count(one.operationCount)}
    operations${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}${one.contentBytes === undefined ? '' : `, ${bytes(one.contentBytes)} of content`}${one.leftOutPaths === undefined ? '' : `, ${count(one.leftOutPaths)} paths left out`}.
    ${recording === undefined ? undefined : `Recorded by ${recording.method}${recording.whole ? '' : ', not whole: the difference of the snapshots decided'}.`}
    ${accounts.length === 0 ? undefined : `Accounts made: ${accounts.map(({ kind, name }) => `${kind} ${name}`).join(', ')}.`}
    <span class="soft small"><code>${one.manifestKey}</code> <code>${one.manifestDigest}</code></span>
  </p>`;
}

function warnedOnline({ onlyOnline = [] }: ReportedClass): Html | undefined {
  if (onlyOnline.length === 0) return undefined;
  return html`<p class="verdict bad">
    No machine can be patched offline by it; each needs the update online: ${onlyOnline.join('; ')}.
  </p>`;
}

function rules({ compliance }: ReportedClass): Html | undefined {
  if (compliance === undefined) return undefined;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Rule</th>
          <th>Result</th>
          <th>Severity</th>
          <th>What was seen</th>
        </tr>
      </thead>
      <tbody>
        ${compliance.result.rules.map(
          ({ rule, title, status, severity, evidence }) =>
            html`<tr>
              <td><code>${rule}</code> ${title}</td>
              <td><span class="tag ${status === 'pass' ? 'good' : 'bad'}">${status}</span></td>
              <td>${severity}</td>
              <td class="wide small">${evidence}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function firstBoot({ deferred = [] }: ReportedClass): Html | undefined {
  if (deferred.length === 0) return undefined;
  return html`<details open>
    <summary>What a patched machine does at its first boot, once</summary>
    <ul>
      ${deferred.map(({ id, reason, commands }) => html`<li><code>${id}</code>: ${reason} (<code>${commands.join('; ')}</code>)</li>`)}
    </ul>
  </details>`;
}

function decisions({ decisions: decided }: ReportedClass): Html | undefined {
  if (decided === undefined || decided.paths.length === 0) return undefined;
  const more = decided.total - decided.paths.length;
  return html`<details>
    <summary>
      What was decided about ${count(decided.total)} path(s) that are not simply the same everywhere
    </summary>
    <ul>
      ${decided.paths.map(({ path, decision, reason }) => html`<li><code>${path}</code> ${decision}: ${reason}</li>`)}
      ${more === 0 ? undefined : html`<li class="soft">and ${count(more)} more, in the manifest</li>`}
    </ul>
  </details>`;
}

function output(title: string, update: ReportedUpdate | undefined): Html | undefined {
  if (update?.outputTail === undefined || update.outputTail === '') return undefined;
  return html`<details>
    <summary>${title}</summary>
    <pre>${update.outputTail}</pre>
  </details>`;
}

function cloneChanges({ cloneChanges: changes }: ReportedClass): Html | undefined {
  if (changes.length === 0) return undefined;
  return html`<details>
    <summary>What was changed on the clone before it ran</summary>
    <ul>
      ${changes.map(({ path, why }) => html`<li><code>${path}</code>: ${why}</li>`)}
    </ul>
  </details>`;
}
