/** Name of the only target that a clone boots into. */
export const CLONE_TARGET = 'imageelves-clone.target';

/** Bring up the network; of these, the ones that are enabled on the image. */
export const NETWORK_UNITS = [
  'systemd-networkd.service',
  'systemd-networkd.socket',
  'systemd-resolved.service',
  'networking.service',
  'NetworkManager.service',
  'network.service',
  'wicked.service',
  'dhcpcd.service',
  // Writes the network settings of a new instance; the later stages, which run scripts and settings, are not among them.
  'cloud-init-local.service',
  'cloud-init-network.service',
  'cloud-init.service',
] as const;

/** The Systems Manager agent, as a package or as a snap. */
export const AGENT_UNITS = [
  'amazon-ssm-agent.service',
  'snap.amazon-ssm-agent.amazon-ssm-agent.service',
  'snapd.socket',
  'snapd.apparmor.service',
  'snapd.seeded.service',
] as const;

/** Sockets of the system itself. All others that are enabled would start a service when something connects. */
export const SYSTEM_SOCKETS = /^(systemd-.*|dbus|dbus-.*|snapd|uuidd|dm-event|lvm2-.*)\.socket$/;

/** What does a machine's work on its own clock, or sends what waits in a queue; masked, so that nothing starts them. */
export const MASKED_UNITS: readonly { readonly unit: string; readonly why: string }[] = [
  { unit: 'timers.target', why: 'timers do the work of the original on its clock' },
  { unit: 'paths.target', why: 'path units start services when files appear' },
  { unit: 'cron.service', why: 'cron jobs do the work of the original' },
  { unit: 'crond.service', why: 'cron jobs do the work of the original' },
  { unit: 'anacron.service', why: 'cron jobs do the work of the original' },
  { unit: 'atd.service', why: 'at jobs do the work of the original' },
  { unit: 'exim4.service', why: 'mail in its queue would be sent a second time' },
  { unit: 'postfix.service', why: 'mail in its queue would be sent a second time' },
  { unit: 'sendmail.service', why: 'mail in its queue would be sent a second time' },
];

/** @param wanted units of the two lists above that the image has enabled */
export function cloneTarget(wanted: readonly string[]): string {
  return [
    '[Unit]',
    'Description=Isolated copy of a machine, made by ImageElves: network and agent only',
    'Requires=basic.target',
    'Conflicts=rescue.service rescue.target',
    'After=basic.target rescue.service rescue.target',
    'Wants=network.target network-online.target',
    ...wanted.map((unit) => `Wants=${unit}`),
    'AllowIsolate=yes',
    '',
  ].join('\n');
}
