import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import type { Tags } from '../state/resources';
import { AwsError } from '../wire';
import { invalidParameterValue } from './ec2-errors';

/** Tags as EC2 lists them: sorted by key. */
export const toTagSet = (tags: Tags): Tag[] =>
  Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));

/**
 * Tags given to one resource type in a create call.
 * @throws AwsError for a key twice, a key too long or reserved.
 */
export function tagsFor(type: string, specifications: readonly TagSpecification[] | undefined): Tags {
  const tags: Tags = {};
  for (const specification of specifications ?? [])
    if (specification.ResourceType === type) Object.assign(tags, checkedTags(specification.Tags ?? []));
  return tags;
}

export function checkedTags(list: readonly Tag[]): Tags {
  const tags: Tags = {};
  for (const { Key = '', Value = '' } of list) {
    if (Key in tags) throw invalidParameterValue(`Duplicate tag key '${Key}' specified.`);
    if (Key === '' || Key.length > 127)
      throw invalidParameterValue(
        `Tag key exceeds the maximum length of 127 characters or is empty: '${Key}'`,
      );
    if (Key.startsWith('aws:'))
      throw invalidParameterValue(`Tag keys starting with 'aws:' are reserved for internal use`);
    if (Value.length > 255)
      throw invalidParameterValue('Tag value exceeds the maximum length of 255 characters');
    tags[Key] = Value;
  }
  if (Object.keys(tags).length > 50)
    throw new AwsError('TagLimitExceeded', 'More than 50 tags specified for a resource.');
  return tags;
}
