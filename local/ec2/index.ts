export { createEc2, type LocalEc2 } from './create-ec2';
