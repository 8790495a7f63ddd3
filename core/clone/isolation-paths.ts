import { ORIGINAL_VALUES_PATH } from '../variation/original-values';
import { CLONE_TARGET, MASKED_UNITS } from './clone-units';

const SYSTEM_UNITS = '/etc/systemd/system';
const PATHS = new Set([
  // Nothing but a value of the machine's own.
  '/etc/machine-id',
  '/var/lib/dbus/machine-id',
  '/etc/hostname',
  '/usr/sbin/policy-rc.d',
  ORIGINAL_VALUES_PATH,
  `${SYSTEM_UNITS}/default.target`,
  `${SYSTEM_UNITS}/${CLONE_TARGET}`,
  ...MASKED_UNITS.map(({ unit }) => `${SYSTEM_UNITS}/${unit}`),
]);

/**
 * Whether a clone may differ from its original here by what isolates it (isolateClone). What an update reads there tells
 * nothing of other machines: services are not started on them either while they are patched.
 */
export function isIsolationPath(path: string): boolean {
  return PATHS.has(path) || /^\/etc\/systemd\/system\/[^/]+\.socket$/.test(path);
}
