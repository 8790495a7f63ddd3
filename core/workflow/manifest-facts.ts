import type { Manifest } from '../manifest/manifest-schema';
import type { ManifestFacts } from './documents';

/** What the report shows of a manifest beside the numbers of its operations. */
export function manifestFacts({
  dataPoints,
  recording,
  accounts,
  deferred,
  decisions,
  onlyOnline,
}: Manifest): ManifestFacts {
  return {
    ...(dataPoints === undefined ? {} : { dataPoints }),
    ...(recording === undefined ? {} : { recording }),
    ...(accounts === undefined ? {} : { accounts }),
    ...(deferred === undefined ? {} : { deferred }),
    ...(decisions === undefined ? {} : { decisions }),
    ...(onlyOnline === undefined ? {} : { onlyOnline }),
  };
}
