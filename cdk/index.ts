/** The public surface of the construct library. */
export { ImageElves, type FleetTargets, type ImageElvesProps } from './image-elves';
export { Update, type UpdateOptions } from './update';
export { type CloneNetworkProps } from './constructs/clone-network';
export { type HousekeepingProps } from './constructs/housekeeping';
export { type RunScheduleProps } from './constructs/run-schedule';
export { InvalidPropsError } from './invalid-props-error';
export { type RunInput } from '../core/workflow/run-input';
