export {
  ImaginaryMachines,
  type MachineToBoot,
  type Machines,
  type RunOptions,
  type RunResult,
} from './machines';
export { NspawnMachines, type NspawnMachinesOptions } from './nspawn-machines';
export {
  isInPrivateNamespace,
  PrivateNamespaceNeededError,
  reexecInPrivateNamespace,
  sendSignal,
  startInPrivateNamespace,
} from './private-namespace';
