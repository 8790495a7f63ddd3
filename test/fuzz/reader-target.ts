import { ImageElvesError } from '../../core/errors';
import { openFilesystem } from '../../core/filesystem/open-filesystem';
import { openImage } from '../../core/image/open-image';
import { corpusImage, structuresOf } from './corpus';
import type { MutableImage } from './mutable-image';
import { byKind, mutate } from './mutate';
import { Random } from './random';
import { readEverything } from './read-everything';
import type { Structure } from './structure';
import type { Changes, Outcome, PreparedTarget, Target } from './target';

/** Images that are changed, each by its own structures, and something that is done with them. */
export class ImageTarget implements PreparedTarget {
  constructor(
    private readonly images: readonly {
      image: MutableImage;
      structures: readonly (readonly Structure[])[];
    }[],
    private readonly action: (images: readonly MutableImage[]) => Promise<Outcome>,
  ) {}

  static async prepare(
    names: readonly (readonly [name: string, kind: string])[],
    action: (images: readonly MutableImage[]) => Promise<Outcome>,
  ): Promise<ImageTarget> {
    const images = await Promise.all(
      names.map(async ([name, kind]) => {
        const image = await corpusImage(name);
        return { image, structures: byKind(await structuresOf(kind, image)) };
      }),
    );
    return new ImageTarget(images, action);
  }

  mutate(seed: number): void {
    const random = new Random(seed);
    const { image, structures } = random.oneOf(this.images);
    mutate(image, structures, random);
    if (this.images.length > 1 && random.onceIn(4)) {
      const other = random.oneOf(this.images);
      mutate(other.image, other.structures, random);
    }
  }

  changes(): Changes {
    return Object.fromEntries(this.images.map(({ image }) => [image.name, image.patches()]));
  }

  apply(changes: Changes): void {
    for (const { image } of this.images)
      for (const { offset, bytes } of changes[image.name] ?? []) image.write(offset, bytes);
  }

  execute(): Promise<Outcome> {
    return this.action(this.images.map(({ image }) => image));
  }

  restore(): void {
    for (const { image } of this.images) image.restore();
  }
}

/** Opens an image of one filesystem and reads all of it. */
export function readerTarget(name: string, kind: string): Target {
  return {
    name: `read ${name}`,
    prepare: () =>
      ImageTarget.prepare([[name, kind]], async ([image]) =>
        outcomeOf(async () => readEverything(await openFilesystem(kind, image!.device()))),
      ),
  };
}

/** Opens disks as those of one machine: partition tables, logical volumes, fstab, what is on them. */
export function machineTarget(names: readonly string[]): Target {
  return {
    name: `open ${names.join(' ')}`,
    prepare: () =>
      ImageTarget.prepare(
        names.map((name) => [name, 'disk']),
        async (images) =>
          outcomeOf(async () => {
            const volumes = images.map((image, index) => ({
              volumeId: `vol-${index}`,
              deviceName: index === 0 ? '/dev/xvda' : `/dev/sd${String.fromCharCode(101 + index)}`,
              isRoot: index === 0,
              device: image.device(),
            }));
            return readEverything(await openImage(volumes));
          }),
      ),
  };
}

export async function outcomeOf(action: () => Promise<number>): Promise<Outcome> {
  try {
    return (await action()) === 0 ? 'answered' : 'refused';
  } catch (error) {
    if (error instanceof ImageElvesError) return 'refused';
    throw error;
  }
}
