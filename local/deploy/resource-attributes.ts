import { generatedName, stableId, type NamingPlace } from './physical-names';

/** What `Ref` gives for a resource, and what `Fn::GetAtt` gives. */
export interface PhysicalResource {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Properties = Readonly<Record<string, unknown>>;
type Physical = (logicalId: string, properties: Properties, place: NamingPlace) => PhysicalResource;

const named = (properties: Properties, property: string, otherwise: string): string => {
  const name = properties[property];
  return typeof name === 'string' && name !== '' ? name : otherwise;
};

const bucket: Physical = (logicalId, properties, place) => {
  const generated = generatedName(place, logicalId, 63).toLowerCase();
  const name = named(properties, 'BucketName', generated);
  const host = `${name}.s3.amazonaws.com`;
  return {
    ref: name,
    attributes: { Arn: `arn:aws:s3:::${name}`, DomainName: host, RegionalDomainName: host },
  };
};

const lambdaFunction: Physical = (logicalId, properties, place) => {
  const name = named(properties, 'FunctionName', generatedName(place, logicalId, 64));
  return {
    ref: name,
    attributes: { Arn: `arn:aws:lambda:${place.region}:${place.accountId}:function:${name}` },
  };
};

const stateMachine: Physical = (logicalId, properties, place) => {
  const name = named(properties, 'StateMachineName', generatedName(place, logicalId, 80));
  const arn = `arn:aws:states:${place.region}:${place.accountId}:stateMachine:${name}`;
  return { ref: arn, attributes: { Arn: arn, Name: name } };
};

/** IAM: what a policy is attached to has a name, an ARN and an id, none of which anything here reads. */
const iam =
  (kind: string, property: string, prefix: string): Physical =>
  (logicalId, properties, place) => {
    const name = named(properties, property, generatedName(place, logicalId, 64));
    const id = `${prefix}${stableId(place, logicalId, 17).toUpperCase()}`;
    return {
      ref: name,
      attributes: { Arn: `arn:aws:iam::${place.accountId}:${kind}/${name}`, [`${kind}Id`]: id },
    };
  };

/** EC2 network: ids in EC2's form. */
const ec2 =
  (prefix: string, attribute: string): Physical =>
  (logicalId, _properties, place) => {
    const id = `${prefix}-${stableId(place, logicalId, 17)}`;
    return { ref: id, attributes: { [attribute]: id, Id: id } };
  };

/** Everything with one ARN of the usual form and a name. */
const plain =
  (service: string, kind: string, property = 'Name'): Physical =>
  (logicalId, properties, place) => {
    const name = named(properties, property, generatedName(place, logicalId, 64));
    const arn = `arn:aws:${service}:${place.region}:${place.accountId}:${kind}${name}`;
    return { ref: name, attributes: { Arn: arn, Name: name } };
  };

const key: Physical = (logicalId, _properties, place) => {
  const hex = stableId(place, logicalId, 32);
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return {
    ref: id,
    attributes: { KeyId: id, Arn: `arn:aws:kms:${place.region}:${place.accountId}:key/${id}` },
  };
};

const topic: Physical = (logicalId, properties, place) => {
  const { ref, attributes } = plain('sns', '', 'TopicName')(logicalId, properties, place);
  return {
    ref: attributes['Arn'] ?? ref,
    attributes: { ...attributes, TopicArn: attributes['Arn'] ?? '', TopicName: ref },
  };
};

const queue: Physical = (logicalId, properties, place) => {
  const { ref, attributes } = plain('sqs', '', 'QueueName')(logicalId, properties, place);
  const url = `https://sqs.${place.region}.amazonaws.com/${place.accountId}/${ref}`;
  return { ref: url, attributes: { ...attributes, QueueName: ref, QueueUrl: url } };
};

/** The resource types that get real counterparts here. */
export const DEPLOYED: Readonly<Record<string, Physical>> = {
  'AWS::S3::Bucket': bucket,
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::StepFunctions::StateMachine': stateMachine,
};

/**
 * Accepted, and nothing is made of them: the embedded cloud emulates no rights, logs, alarms and
 * keys, and of networks EC2 only has to know the ids.
 * Their names and ARNs are made up, so that what refers to them resolves.
 */
export const ACCEPTED: Readonly<Record<string, Physical>> = {
  'AWS::CDK::Metadata': plain('cdk', ''),
  'AWS::CloudWatch::Alarm': plain('cloudwatch', 'alarm:', 'AlarmName'),
  'AWS::CloudWatch::Dashboard': plain('cloudwatch', 'dashboard/', 'DashboardName'),
  'AWS::EC2::InternetGateway': ec2('igw', 'InternetGatewayId'),
  'AWS::EC2::LaunchTemplate': ec2('lt', 'LaunchTemplateId'),
  'AWS::EC2::Route': ec2('r', 'RouteId'),
  'AWS::EC2::RouteTable': ec2('rtb', 'RouteTableId'),
  'AWS::EC2::SecurityGroup': ec2('sg', 'GroupId'),
  'AWS::EC2::SecurityGroupEgress': ec2('sgr', 'Id'),
  'AWS::EC2::SecurityGroupIngress': ec2('sgr', 'Id'),
  'AWS::EC2::Subnet': ec2('subnet', 'SubnetId'),
  'AWS::EC2::SubnetRouteTableAssociation': ec2('rtbassoc', 'Id'),
  'AWS::EC2::VPC': ec2('vpc', 'VpcId'),
  'AWS::EC2::VPCEndpoint': ec2('vpce', 'Id'),
  'AWS::EC2::VPCGatewayAttachment': ec2('igw', 'Id'),
  'AWS::Events::Rule': plain('events', 'rule/'),
  'AWS::IAM::InstanceProfile': iam('instance-profile', 'InstanceProfileName', 'AIPA'),
  'AWS::IAM::ManagedPolicy': iam('policy', 'ManagedPolicyName', 'ANPA'),
  'AWS::IAM::Policy': iam('policy', 'PolicyName', 'ANPA'),
  'AWS::IAM::Role': (...given) => {
    const { ref, attributes } = iam('role', 'RoleName', 'AROA')(...given);
    return { ref, attributes: { ...attributes, RoleId: attributes['roleId'] ?? '' } };
  },
  'AWS::KMS::Alias': plain('kms', 'alias/', 'AliasName'),
  'AWS::KMS::Key': key,
  'AWS::Lambda::EventInvokeConfig': plain('lambda', 'event-invoke-config:'),
  'AWS::Lambda::Permission': plain('lambda', 'permission:'),
  'AWS::Logs::LogGroup': plain('logs', 'log-group:', 'LogGroupName'),
  'AWS::Logs::MetricFilter': plain('logs', 'metric-filter:', 'FilterName'),
  'AWS::Logs::ResourcePolicy': plain('logs', 'resource-policy:', 'PolicyName'),
  'AWS::S3::BucketPolicy': plain('s3', 'policy/'),
  'AWS::SNS::Subscription': plain('sns', 'subscription:'),
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': plain('sns', 'policy:'),
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': plain('sqs', 'policy:'),
  'AWS::SSM::Parameter': plain('ssm', 'parameter'),
  'AWS::Scheduler::Schedule': plain('scheduler', 'schedule/default/'),
  'AWS::Scheduler::ScheduleGroup': plain('scheduler', 'schedule-group/'),
};

/** What stands for a type that is neither: its name, and any attribute by name. */
export const unknownResource: Physical = (logicalId, _properties, place) => ({
  ref: generatedName(place, logicalId, 128),
  attributes: {},
});
