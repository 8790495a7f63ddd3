export { EmulatedKernel, type EmulatedKernelOptions } from './emulated-kernel';
export { KernelEngineError, KernelEngineMissingError } from './errors';
