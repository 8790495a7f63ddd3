import { writeReport } from '../aws/steps/write-report';
import { stepHandler } from './runtime/step';

/** Writes the report of a run, for programs and for people. */
export const handler = stepHandler(({ services }, input: Parameters<typeof writeReport>[1]) =>
  writeReport(services, input),
);
