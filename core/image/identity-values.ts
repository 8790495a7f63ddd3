/**
 * The values by which one machine differs from its twins (points of variation): none of them takes part in a
 * signature. Lists are sorted, so that equal machines give equal values.
 */
export interface IdentityValues {
  readonly hostname: string | undefined;
  /** Fully qualified, where /etc/hosts names the host so. */
  readonly fqdn: string | undefined;
  /** /etc/machine-id; undefined when it is missing, empty or `uninitialized`. */
  readonly machineId: string | undefined;
  /** SHA-256 in hex of each /etc/ssh/ssh_host_*_key.pub, by path. Private keys are never read. */
  readonly sshHostKeys: Readonly<Record<string, string>>;
  readonly filesystemUuids: readonly string[];
  readonly filesystemLabels: readonly string[];
  readonly diskUuids: readonly string[];
  readonly partUuids: readonly string[];
  /** MAC addresses found in network configuration files, lower case. */
  readonly macAddresses: readonly string[];
  /** IP addresses set in network configuration files; loopback and netmasks are left out. */
  readonly ipAddresses: readonly string[];
  /** /var/lib/cloud/data/instance-id */
  readonly cloudInstanceId: string | undefined;
}

/** Of a machine about which nothing is known yet. */
export const NO_IDENTITY: IdentityValues = {
  hostname: undefined,
  fqdn: undefined,
  machineId: undefined,
  sshHostKeys: {},
  filesystemUuids: [],
  filesystemLabels: [],
  diskUuids: [],
  partUuids: [],
  macAddresses: [],
  ipAddresses: [],
  cloudInstanceId: undefined,
};
