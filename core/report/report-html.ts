import { classCard } from './class-card';
import { bytes, count, dollars, seconds } from './figures';
import { type Html, html } from './html';
import { machineTable } from './report-sections';
import { REPORT_STYLE } from './report-style';
import type { Report } from './report';

/** One page that shows a whole run and fetches nothing. Everything that came from a machine is escaped. */
export function reportHtml(report: Report): string {
  const { run, update, machines, classes, excluded, warnings } = report;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${update.name}: run ${run}</title>
        <style>
          ${REPORT_STYLE}
        </style>
      </head>
      <body>
        ${summary(report)}
        <h2>Classes</h2>
        ${classes.length === 0 ? html`<p class="soft">No class was formed.</p>` : classes.map(classCard)}
        <h2>Machines</h2>
        ${machines.length === 0 ? html`<p class="soft">No instance was a target.</p>` : machineTable(machines)}
        ${excluded.length === 0 ? undefined : excludedTable(report)}
        ${
          warnings.length === 0
            ? undefined
            : html`<h2>Warnings</h2>
                <ul>
                  ${warnings.map((warning) => html`<li>${warning}</li>`)}
                </ul>`
        }
        <h2>Cost</h2>
        ${costTable(report)}
      </body>
    </html> `.text;
}

function summary(report: Report): Html {
  const { run, update, counts, succeeded, failure, usage, cost, dryRun } = report;
  const figure = (value: string, name: string): Html =>
    html`<div class="figure"><b>${value}</b><span class="soft small">${name}</span></div>`;
  return html`<h1>${update.name} <span class="soft">${dryRun ? 'dry run' : 'run'} ${run}</span></h1>
    ${update.description === undefined ? undefined : html`<p class="soft">${update.description}</p>`}
    <p class="verdict ${succeeded ? 'good' : 'bad'}">
      ${succeeded ? 'Succeeded' : 'Failed'}. ${report.summary}
    </p>
    ${failure === undefined ? undefined : html`<p><code>${failure.error}</code> in ${failure.step}: ${failure.message} ${failure.nextStep}</p>`}
    <div class="figures">
      ${figure(count(counts.targets), 'targets')} ${figure(count(counts.classes), 'classes')}
      ${figure(count(counts.patched), 'patched without being started')}
      ${figure(count(counts.updatedOnline), 'updated online')}
      ${figure(count(counts.onlineUpdates), 'runs of the update, clones included')}
      ${figure(count(counts.notPatched), 'left alone')} ${figure(count(counts.failed), 'failed')}
      ${figure(seconds(report.seconds), 'from start to report')}
      ${figure(count(usage.getBlocks), 'blocks read')}
      ${figure(`${count(usage.putBlocks)} (${bytes(usage.bytesWritten)})`, 'blocks written')}
      ${figure(dollars(cost.usd), cost.estimated ? 'a run would cost, about' : 'cost, about')}
    </div>
    <p class="soft small">
      ${report.startedAt} to ${report.endedAt}. Execution <code>${report.executionId}</code>
    </p>`;
}

function excludedTable({ excluded }: Report): Html {
  return html`<h2>Excluded instances</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Instance</th>
            <th>Why it was left out</th>
          </tr>
        </thead>
        <tbody>
          ${excluded.map(
            ({ instanceId, name, reason }) =>
              html`<tr>
                <td><code>${instanceId}</code> ${name}</td>
                <td>${reason}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function costTable({ cost }: Report): Html {
  return html`<p class="soft small">
      ${cost.estimated ? 'Estimated from the classes and what profiling read, if every member matches.' : 'From the calls that were counted.'}
      Prices of us-east-1; Run Command, requests to S3 and the hours of a clone are not in it.
    </p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>What</th>
            <th class="number">Cost</th>
          </tr>
        </thead>
        <tbody>
          ${cost.items.map(
            ({ what, usd }) =>
              html`<tr>
                <td>${what}</td>
                <td class="number">${dollars(usd)}</td>
              </tr>`,
          )}
          <tr>
            <th>Sum</th>
            <th class="number">${dollars(cost.usd)}</th>
          </tr>
        </tbody>
      </table>
    </div>`;
}
