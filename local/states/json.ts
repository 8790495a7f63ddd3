/** A JSON value: what flows between states. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A deep copy, so that no two states share a value that one of them may change. */
export const copyOf = <T extends Json>(value: T): T => structuredClone(value);
