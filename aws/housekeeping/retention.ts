import { TAGS } from '../../core/workflow/keys';
import type { Tags } from '../ec2/tags';

/** An ISO 8601 day or time in UTC: nothing that different programs read as different times. */
const UTC_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z)?$/;

/** What the tag `retain-until` of a volume says now. A person may move it. */
export function retentionOf(tags: Tags, now: Date): 'ended' | 'later' | { readonly why: string } {
  const until = tags[TAGS.retainUntil];
  if (until === undefined) return { why: `it has no tag ${TAGS.retainUntil}` };
  const time = UTC_TIME.test(until) ? Date.parse(until) : NaN;
  if (Number.isNaN(time)) {
    return { why: `its tag ${TAGS.retainUntil} is "${until}", and no time like 2027-01-31T03:00:00Z` };
  }
  return time <= now.getTime() ? 'ended' : 'later';
}
