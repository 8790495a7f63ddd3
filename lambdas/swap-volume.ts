import { swapVolume } from '../aws/swap/swap-volume';
import { stepHandler } from './runtime/step';

/** Puts the new volumes in place, or the old ones back. */
export const handler = stepHandler(({ services }, input: Parameters<typeof swapVolume>[1]) =>
  swapVolume(services, input),
);
