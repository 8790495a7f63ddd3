import type { DeferredStep } from '../generated/generators';

/** Where a machine says how its first boot after an update went. */
export const FIRST_BOOT_STATE = '/var/lib/imageelves';

export interface FirstBootNames {
  readonly unit: string;
  readonly script: string;
  /** Makes systemd start the unit at boot. */
  readonly link: string;
  readonly report: string;
}

const UNITS = '/etc/systemd/system';
const PREFIX = `imageelves-first-boot-`;

/** @param id tells the steps of one update from those of another that still wait for the same boot */
export function firstBootNames(id: string): FirstBootNames {
  const unit = `${UNITS}/${PREFIX}${id}.service`;
  return {
    unit,
    script: `${UNITS}/${PREFIX}${id}.sh`,
    link: `${UNITS}/multi-user.target.wants/${PREFIX}${id}.service`,
    report: `${FIRST_BOOT_STATE}/first-boot-${id}.json`,
  };
}

/** What is gone when the first boot is done, so that it says nothing about whether a machine was patched. */
export function isFirstBootPath(path: string): boolean {
  return path.startsWith(`${UNITS}/`) && path.slice(path.lastIndexOf('/') + 1).startsWith(PREFIX);
}

/**
 * Starts before any service that needs what the steps make, sockets included: so it waits for sysinit.target only, and not
 * for basic.target as services do of themselves (bootup(7)). A clone's only target (core/clone) does not want it.
 */
export function firstBootUnit({ script }: FirstBootNames, steps: readonly DeferredStep[]): string {
  const before = [...new Set(steps.flatMap((step) => step.before))].sort();
  return [
    '[Unit]',
    'Description=What an update by ImageElves left to the first boot',
    'DefaultDependencies=no',
    'Requires=sysinit.target',
    'After=sysinit.target',
    'Conflicts=shutdown.target',
    `Before=${[...before, 'multi-user.target', 'shutdown.target'].join(' ')}`,
    `RequiresMountsFor=/etc /usr /var ${FIRST_BOOT_STATE}`,
    `ConditionPathExists=${script}`,
    '',
    '[Service]',
    'Type=oneshot',
    `ExecStart=/bin/sh ${script}`,
    'TimeoutStartSec=900',
    '',
  ].join('\n');
}

/**
 * Runs the steps, writes what came of each to a file, and removes itself when all went well. What failed is tried again at
 * the next boot; until then the unit is among `systemctl --failed`.
 */
export function firstBootScript(
  { unit, script, link, report }: FirstBootNames,
  steps: readonly DeferredStep[],
): string {
  return [
    '#!/bin/sh',
    '# Made by ImageElves. Runs once, at the first boot after an update that was made while the machine was off.',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'export PATH',
    // Tools of Debian that may ask do not, where nobody answers (debconf(7)).
    'export DEBIAN_FRONTEND=noninteractive',
    'umask 022',
    'work=$(mktemp -d) || exit 1',
    `trap 'rm -rf "$work"' EXIT`,
    `mkdir -p ${FIRST_BOOT_STATE} || exit 1`,
    'results= failed=false',
    "text() { tail -c 2000 \"$1\" | LC_ALL=C tr -c '[:print:]' ' ' | sed 's/\\\\/\\\\\\\\/g; s/\"/\\\\\"/g'; }",
    'step() {',
    '  cat >"$work/commands"',
    '  code=0',
    '  sh -e "$work/commands" </dev/null >"$work/output" 2>&1 || code=$?',
    '  cat "$work/output"',
    '  [ "$code" -eq 0 ] || failed=true',
    '  results="$results${results:+,}{\\"id\\":\\"$1\\",\\"exitCode\\":$code,\\"output\\":\\"$(text "$work/output")\\"}"',
    '}',
    ...steps.flatMap(({ id, reason, commands }) => [
      `# ${oneLine(reason)}`,
      `step ${id} <<'END_OF_STEP'`,
      ...commands,
      'END_OF_STEP',
    ]),
    'if $failed; then done=false; else done=true; fi',
    `printf '{"version":1,"finishedAt":"%s","done":%s,"steps":[%s]}\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$done" "$results" >${report}.part`,
    `mv ${report}.part ${report}`,
    '$done || exit 1',
    `rm -f ${link} ${unit} ${script}`,
    '',
  ].join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
