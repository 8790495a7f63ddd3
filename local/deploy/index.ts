export { deployAssembly, type Deployment, type DeployTarget } from './deploy';
export { DeployError } from './deploy-error';
