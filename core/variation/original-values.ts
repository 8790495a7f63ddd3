import { readText } from '../image/follow-links';
import type { Image } from '../image/image';
import type { PointOfVariation } from './points-of-variation';

/**
 * Stands on a clone and tells the values that its original had: a clone gets a name and a machine-id of its own, but in
 * the files of the original its old ones still stand.
 */
export const ORIGINAL_VALUES_PATH = '/var/lib/imageelves/original.json';

const MOST_VALUES = 500;
const LONGEST_VALUE = 4096;

export function originalValuesText(points: readonly PointOfVariation[]): string {
  return `${JSON.stringify(points.slice(0, MOST_VALUES))}\n`;
}

/** Values of a clone's original that are not its own; none on other machines. */
export async function originalPoints(
  image: Image,
  own: readonly PointOfVariation[],
): Promise<PointOfVariation[]> {
  const text = await readText(image, ORIGINAL_VALUES_PATH);
  if (text === undefined) return [];
  const known = new Set(own.map(({ name, value }) => `${name} ${value}`));
  return parsed(text)
    .filter(isPoint)
    .slice(0, MOST_VALUES)
    .filter(({ name, value }) => !known.has(`${name} ${value}`))
    .map(({ name, value, label, strength, where, isBinary }) => ({
      name,
      value,
      label,
      strength,
      where,
      ...(isBinary === true && { isBinary }),
      isOriginal: true as const,
    }));
}

/** The image is a stranger's: what is no list of values is none. */
function parsed(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function isPoint(value: unknown): value is PointOfVariation {
  if (typeof value !== 'object' || value === null) return false;
  const { name, value: text, label, strength, where } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    name.length <= 300 &&
    typeof text === 'string' &&
    text.length > 0 &&
    text.length <= LONGEST_VALUE &&
    typeof label === 'string' &&
    (strength === 'sure' || strength === 'word') &&
    (where === 'anywhere' || where === 'configuration')
  );
}
