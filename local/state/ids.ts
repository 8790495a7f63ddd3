import { randomBytes } from 'node:crypto';

/** A resource id as EC2 makes them: the prefix and 17 hexadecimal digits that begin with 0. */
export const newId = (prefix: string): string => `${prefix}-0${randomBytes(8).toString('hex')}`;
