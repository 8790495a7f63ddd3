import type { Filter } from '@aws-sdk/client-ec2';
import type { Tags } from '../state/resources';
import { invalidParameterValue } from './ec2-errors';

/** What a filter of this name compares with; undefined when the resource has no such filter. */
export type FilterValues<T> = (name: string, resource: T) => readonly string[] | undefined;

/**
 * Resources that pass all filters: within a filter any value may match, `*` and `?` are wildcards (EC2 User Guide,
 * "List and filter your resources").
 * @throws AwsError InvalidParameterValue for a filter that the resource type does not have.
 */
export function applyFilters<T>(
  resources: readonly T[],
  filters: readonly Filter[] | undefined,
  tagsOf: (resource: T) => Tags,
  valuesOf: FilterValues<T>,
): T[] {
  const tests = (filters ?? []).map((filter) => testOf(filter, tagsOf, valuesOf));
  return resources.filter((resource) => tests.every((test) => test(resource)));
}

function testOf<T>(
  filter: Filter,
  tagsOf: (resource: T) => Tags,
  valuesOf: FilterValues<T>,
): (resource: T) => boolean {
  const name = filter.Name ?? '';
  const patterns = (filter.Values ?? []).map(patternOf);
  return (resource) => {
    const values = tagValues(name, tagsOf(resource)) ?? valuesOf(name, resource);
    if (values === undefined) throw invalidParameterValue(`The filter '${name}' is invalid`);
    return values.some((value) => patterns.some((pattern) => pattern.test(value)));
  };
}

function tagValues(name: string, tags: Tags): string[] | undefined {
  if (name.startsWith('tag:')) {
    const value = tags[name.slice('tag:'.length)];
    return value === undefined ? [] : [value];
  }
  if (name === 'tag-key') return Object.keys(tags);
  if (name === 'tag-value') return Object.values(tags);
  return undefined;
}

function patternOf(value: string): RegExp {
  const source = value.replace(/\\?[\s\S]/g, (token) => {
    if (token === '*') return '[\\s\\S]*';
    if (token === '?') return '[\\s\\S]';
    const literal = token.length === 2 ? token.slice(1) : token;
    return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source}$`);
}
