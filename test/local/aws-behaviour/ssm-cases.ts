import type { Cases } from './expectations';

export const SSM_CASES: Cases = {};
export const SSM_NOT_HELD: Readonly<Record<string, string>> = {};
export const SSM_NOT_SERVED: Readonly<Record<string, string>> = {};
