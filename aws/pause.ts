/** Waits for a service to catch up. A parameter of everything that waits, so that tests need no time. */
export type Pause = (milliseconds: number) => Promise<void>;

export const realPause: Pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
