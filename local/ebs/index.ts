export { createEbs, EBS_SERVICE_OPTIONS } from './create-ebs';
