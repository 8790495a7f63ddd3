import { buildReport } from '../../core/report/build-report';
import { reportHtml } from '../../core/report/report-html';
import { reportHtmlKey, reportKey } from '../../core/workflow/keys';
import type { WriteReportInput, WriteReportOutput } from '../../core/workflow/payloads';
import type { Services } from '../services';
import { gatherFacts } from './gather-facts';
import { recordFailure } from './record-failure';

/** Writes report.json and report.html; done again after a roll back, they tell of that too. */
export async function writeReport(
  services: Services,
  { run, error }: WriteReportInput,
): Promise<WriteReportOutput> {
  if (error !== undefined) await recordFailure(services, { run, step: 'Run', error });
  const report = buildReport(await gatherFacts(services, run));
  const { documents } = services;
  await documents.write(reportKey(run), report);
  await documents.writeText(reportHtmlKey(run), reportHtml(report), 'text/html; charset=utf-8');
  const { counts, succeeded, summary } = report;
  return {
    reportKey: reportKey(run),
    htmlKey: reportHtmlKey(run),
    ...counts,
    succeeded,
    summary,
  };
}
