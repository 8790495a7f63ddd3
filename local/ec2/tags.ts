import type {
  CreateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeTagsCommandInput,
  TagDescription,
} from '@aws-sdk/client-ec2';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { Tags } from '../state/resources';
import { AwsError } from '../wire';
import { endDryRun, missingParameter } from './ec2-errors';
import { page } from './pagination';
import { applyFilters } from './filters';
import { checkedTags } from './tag-sets';
import { findVolume } from './volume-view';

interface Tagged {
  readonly type: NonNullable<TagDescription['ResourceType']>;
  readonly tags: Tags;
}

function find(state: LocalEc2State, id: string): Tagged {
  const [prefix] = id.split('-');
  const found: Record<string, () => Tagged | undefined> = {
    i: () => typed('instance', state.instances.get(id)),
    vol: () => typed('volume', findVolume(state, id)),
    snap: () => typed('snapshot', state.snapshots.get(id)),
    ami: () => typed('image', state.images.get(id)),
    sg: () => typed('security-group', state.securityGroups.get(id)),
    subnet: () => typed('subnet', state.subnets.get(id)),
  };
  const tagged = found[prefix ?? '']?.();
  if (tagged) return tagged;
  const codes: Record<string, string> = {
    i: 'InvalidInstanceID.NotFound',
    vol: 'InvalidVolume.NotFound',
    snap: 'InvalidSnapshot.NotFound',
    ami: 'InvalidAMIID.NotFound',
  };
  throw new AwsError(codes[prefix ?? ''] ?? 'InvalidID', `The ID '${id}' is not valid`);
}

const typed = (type: Tagged['type'], record: { tags: Tags } | undefined): Tagged | undefined =>
  record && { type, tags: record.tags };

export function createTagsHandler(state: LocalEc2State) {
  return (input: CreateTagsCommandInput): void => {
    if (!input.Resources?.length)
      throw missingParameter('The request must contain the parameter resourceIdSet');
    if (!input.Tags?.length) throw missingParameter('The request must contain the parameter Tags');
    const tags = checkedTags(input.Tags);
    const resources = input.Resources.map((id) => find(state, id));
    endDryRun(input.DryRun);
    for (const resource of resources) {
      if (Object.keys({ ...resource.tags, ...tags }).length > 50)
        throw new AwsError('TagLimitExceeded', 'The maximum number of Tags for a resource has been reached.');
      Object.assign(resource.tags, tags);
    }
    state.changed();
  };
}

export function deleteTagsHandler(state: LocalEc2State) {
  return (input: DeleteTagsCommandInput): void => {
    const resources = (input.Resources ?? []).map((id) => find(state, id));
    endDryRun(input.DryRun);
    for (const { tags } of resources) {
      const given = input.Tags ?? Object.keys(tags).map((Key) => ({ Key }));
      // A tag given with a value is removed only when it has that value.
      for (const { Key = '', Value } of given as { Key?: string; Value?: string }[])
        if (Value === undefined || tags[Key] === Value) delete tags[Key];
    }
    state.changed();
  };
}

export function describeTagsHandler(state: LocalEc2State) {
  return (input: DescribeTagsCommandInput) => {
    endDryRun(input.DryRun);
    const ids = [
      ...state.instances.keys(),
      ...[...state.volumes.keys()].filter((id) => findVolume(state, id)),
      ...state.snapshots.keys(),
      ...state.images.keys(),
      ...state.securityGroups.keys(),
      ...state.subnets.keys(),
    ];
    const all: TagDescription[] = ids.flatMap((ResourceId) => {
      const { type, tags } = find(state, ResourceId);
      return Object.entries(tags).map(([Key, Value]) => ({ Key, Value, ResourceId, ResourceType: type }));
    });
    const found = applyFilters(
      all,
      input.Filters,
      ({ Key = '', Value = '' }) => ({ [Key]: Value }),
      (name, tag) => {
        if (name === 'key') return [tag.Key ?? ''];
        if (name === 'value') return [tag.Value ?? ''];
        if (name === 'resource-id') return [tag.ResourceId ?? ''];
        if (name === 'resource-type') return [tag.ResourceType ?? ''];
        return undefined;
      },
    );
    const { items, NextToken } = page(found, input);
    return { Tags: items, NextToken };
  };
}
