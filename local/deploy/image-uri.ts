import type { ImageAsset } from './cloud-assembly';

/** The image of the assembly that a function names: `<account>.dkr.ecr.<region>.<suffix>/<repository>:<tag>`. */
export function imageNamed(
  uri: string,
  images: readonly ImageAsset[],
  pseudo: (text: string) => string,
): ImageAsset | undefined {
  const name = uri.slice(uri.indexOf('/') + 1);
  return images.find(
    ({ repositoryName, imageTag }) => name === `${pseudo(repositoryName)}:${pseudo(imageTag)}`,
  );
}
