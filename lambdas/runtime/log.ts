/** One JSON line an event, as CloudWatch Logs Insights reads them. */
export function log(notice: string, facts: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ notice, ...facts })}\n`);
}
