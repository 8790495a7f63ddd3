import { Type } from '@sinclair/typebox';
import type { Digest } from '../chunk-store/chunk-store';
import { IMAGE_PATH_PATTERN, MAX_PATH_LENGTH } from './image-path';

export const exact = { additionalProperties: false } as const;
export const size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const id = Type.Integer({ minimum: 0, maximum: 4_294_967_295 });
export const digest = Type.Unsafe<Digest>(Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }));
export const path = Type.String({ pattern: IMAGE_PATH_PATTERN, maxLength: MAX_PATH_LENGTH });
export const shortText = Type.String({ maxLength: 4096 });
/** Nanoseconds since the epoch, as decimal digits: JSON numbers are too small. */
export const nanoseconds = Type.String({ pattern: '^-?[0-9]{1,20}$' });

/** Digest of an entry, or `absent`: there must be nothing. */
export const state = Type.Union([Type.Literal('absent'), digest]);
