/** Who reads or writes filesystems that have a feature: our own TypeScript, the kernel engine, or nobody. */
export type FeatureSupport = 'direct' | 'kernel' | 'refused';
