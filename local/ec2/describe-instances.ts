import type {
  DescribeInstancesCommandInput,
  DescribeInstanceStatusCommandInput,
  Instance,
  Reservation,
} from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, AVAILABILITY_ZONES } from '../state/account';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord, InstanceState, Time } from '../state/resources';
import { AwsError } from '../wire';
import { attachmentState } from './volume-view';
import { volumesOf } from './attachments';
import { endDryRun, instanceNotFound, invalidCombination, wellFormed } from './ec2-errors';
import { applyFilters, type FilterValues } from './filters';
import { STATE_CODES } from './instance-lifecycle';
import { page } from './pagination';
import { toTagSet } from './tag-sets';

/** The state that reads show: it may follow the real one a moment later. */
function shownState(instance: InstanceRecord, now: Time): InstanceState {
  return instance.shown && instance.shown.until > now ? instance.shown.state : instance.state;
}

export function findInstances(state: LocalEc2State, ids: readonly string[] | undefined): InstanceRecord[] {
  const wanted = ids ?? [];
  for (const id of wanted)
    if (!wellFormed(id, 'i'))
      throw new AwsError(
        'InvalidInstanceID.Malformed',
        `Invalid id: "${id}"${id.startsWith('i-') ? '' : ' (expecting "i-...")'}`,
      );
  const missing = wanted.filter((id) => !state.instances.has(id));
  if (missing.length > 0) throw instanceNotFound(missing);
  return wanted.flatMap((id) => state.instances.get(id) ?? []);
}

export function findInstance(state: LocalEc2State, instanceId: string | undefined): InstanceRecord {
  const [instance] = findInstances(state, [instanceId ?? '']);
  if (!instance) throw instanceNotFound([instanceId ?? '']);
  return instance;
}

export function describeInstancesHandler(state: LocalEc2State) {
  return (input: DescribeInstancesCommandInput): { Reservations: Reservation[]; NextToken?: string } => {
    endDryRun(input.DryRun);
    const { items, NextToken } = select(state, input);
    return { Reservations: items.map((instance) => toReservation(state, instance)), NextToken };
  };
}

export function describeInstanceStatusHandler(state: LocalEc2State) {
  return (input: DescribeInstanceStatusCommandInput) => {
    endDryRun(input.DryRun);
    const now = state.now();
    const { items, NextToken } = select(state, input);
    const shown = items.filter(
      (instance) => input.IncludeAllInstances || shownState(instance, now) === 'running',
    );
    return {
      InstanceStatuses: shown.map((instance) => {
        const name = shownState(instance, now);
        const status = name === 'running' ? ('ok' as const) : ('not-applicable' as const);
        return {
          InstanceId: instance.instanceId,
          AvailabilityZone: instance.availabilityZone,
          InstanceState: { Code: STATE_CODES[name], Name: name },
          InstanceStatus: { Status: status },
          SystemStatus: { Status: status },
        };
      }),
      NextToken,
    };
  };
}

function select(
  state: LocalEc2State,
  input: Pick<DescribeInstancesCommandInput, 'InstanceIds' | 'Filters' | 'MaxResults' | 'NextToken'>,
) {
  if (input.InstanceIds?.length && input.MaxResults !== undefined)
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  const chosen = input.InstanceIds?.length
    ? findInstances(state, input.InstanceIds)
    : [...state.instances.values()];
  return page(
    applyFilters(chosen, input.Filters, ({ tags }) => tags, filterValues(state)),
    input,
  );
}

const filterValues =
  (state: LocalEc2State): FilterValues<InstanceRecord> =>
  (name, instance) => {
    const shown = shownState(instance, state.now());
    switch (name) {
      case 'architecture':
        return [instance.architecture];
      case 'availability-zone':
        return [instance.availabilityZone];
      case 'block-device-mapping.volume-id':
        return volumesOf(state, instance.instanceId).map(({ volumeId }) => volumeId);
      case 'client-token':
        return instance.clientToken === undefined ? [] : [instance.clientToken];
      case 'image-id':
        return [instance.imageId];
      case 'instance-id':
        return [instance.instanceId];
      case 'instance-state-code':
        return [String(STATE_CODES[shown])];
      case 'instance-state-name':
        return [shown];
      case 'instance-type':
        return [instance.instanceType];
      case 'platform':
        return instance.platform === undefined ? [] : [instance.platform];
      case 'private-ip-address':
        return [instance.privateIpAddress];
      case 'root-device-type':
        return [instance.rootDeviceType];
      case 'subnet-id':
        return [instance.subnetId];
      case 'vpc-id':
        return [instance.vpcId];
      default:
        return undefined;
    }
  };

const toReservation = (state: LocalEc2State, instance: InstanceRecord): Reservation => ({
  ReservationId: instance.reservationId,
  OwnerId: ACCOUNT_ID,
  Groups: [],
  Instances: [toInstance(state, instance)],
});

export function toInstance(state: LocalEc2State, instance: InstanceRecord): Instance {
  const now = state.now();
  const name = shownState(instance, now);
  const lagging = name !== instance.state;
  const released = !lagging && (instance.released ?? false);
  const gone = name === 'terminated';
  return {
    InstanceId: instance.instanceId,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType as Instance['InstanceType'],
    Architecture: instance.architecture as Instance['Architecture'],
    State: { Code: STATE_CODES[name], Name: name },
    // While reads lag behind, they lag in everything.
    StateReason: lagging ? undefined : instance.stateReason,
    StateTransitionReason: lagging ? '' : instance.stateTransitionReason,
    LaunchTime: new Date(instance.launchTime),
    ClientToken: instance.clientToken,
    Placement: {
      AvailabilityZone: instance.availabilityZone,
      AvailabilityZoneId: AVAILABILITY_ZONES[instance.availabilityZone],
      Tenancy: 'default',
    },
    PrivateDnsName:
      gone || released ? '' : `ip-${instance.privateIpAddress.replaceAll('.', '-')}.ec2.internal`,
    PrivateIpAddress: gone ? undefined : instance.privateIpAddress,
    SubnetId: gone ? undefined : instance.subnetId,
    VpcId: gone ? undefined : instance.vpcId,
    SecurityGroups: instance.securityGroups,
    NetworkInterfaces: gone ? [] : [networkInterface(instance, name, released)],
    RootDeviceName: instance.rootDeviceName,
    RootDeviceType: instance.rootDeviceType,
    BlockDeviceMappings: blockDeviceMappings(state, instance, released),
    VirtualizationType: 'hvm',
    Hypervisor: 'xen',
    Platform: instance.platform as Instance['Platform'],
    PlatformDetails: instance.platform === 'windows' ? 'Windows' : 'Linux/UNIX',
    ProductCodes: instance.productCodes.map((ProductCodeId) => ({
      ProductCodeId,
      ProductCodeType: 'marketplace' as const,
    })),
    HibernationOptions: { Configured: instance.hibernationConfigured },
    MetadataOptions: {
      State: name === 'pending' ? 'pending' : 'applied',
      HttpTokens: instance.metadataHttpTokens as 'required',
      HttpEndpoint: 'enabled',
    },
    Monitoring: { State: 'disabled' },
    EbsOptimized: false,
    EnaSupport: true,
    SourceDestCheck: true,
    IamInstanceProfile:
      instance.iamInstanceProfileArn === undefined ? undefined : { Arn: instance.iamInstanceProfileArn },
    Tags: toTagSet(instance.tags),
  };
}

function blockDeviceMappings(state: LocalEc2State, instance: InstanceRecord, released: boolean) {
  const now = state.now();
  return volumesOf(state, instance.instanceId).flatMap((volume) => {
    const { attachment } = volume;
    const Status = attachmentState(attachment, now);
    if (!attachment || !Status) return [];
    return [
      {
        DeviceName: attachment.device,
        Ebs: {
          VolumeId: volume.volumeId,
          AttachTime: new Date(attachment.attachTime),
          DeleteOnTermination: attachment.deleteOnTermination,
          Status: released ? ('detaching' as const) : Status,
          EbsCardIndex: 0,
        },
      },
    ];
  });
}

function networkInterface(instance: InstanceRecord, shown: InstanceState, released: boolean) {
  const Status =
    shown === 'pending' ? ('attaching' as const) : released ? ('detaching' as const) : ('attached' as const);
  return {
    NetworkInterfaceId: `eni-${instance.instanceId.slice(2)}`,
    OwnerId: ACCOUNT_ID,
    Status: 'in-use' as const,
    PrivateIpAddress: instance.privateIpAddress,
    SubnetId: instance.subnetId,
    VpcId: instance.vpcId,
    Groups: instance.securityGroups,
    Attachment: { DeviceIndex: 0, Status, DeleteOnTermination: true },
  };
}
