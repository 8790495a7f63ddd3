import type { ResourceType, Tag, TagSpecification } from '@aws-sdk/client-ec2';

export type Tags = Readonly<Record<string, string>>;

export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}

export function tagList(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Tags given in the creating call itself: what is made is never without its run, whatever dies next. */
export function tagSpecification(type: ResourceType, tags: Tags): TagSpecification[] {
  return [{ ResourceType: type, Tags: tagList(tags) }];
}

/** A filter that all of these tags match. */
export function tagFilters(tags: Tags): { Name: string; Values: string[] }[] {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
}
