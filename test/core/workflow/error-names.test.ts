import { TRANSIENT_ERROR_NAMES } from '../../../core/workflow/error-names';

/** An account has a hundred pending snapshots, backups of its other machines among them: they are waited for. */
test.each([
  ['CreateSnapshot', 'PendingSnapshotLimitExceeded'],
  ['StartSnapshot', 'ServiceQuotaExceededException'],
])('what %s says of too many pending snapshots is tried again', (_, name) => {
  expect(TRANSIENT_ERROR_NAMES).toContain(name);
});
