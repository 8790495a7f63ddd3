/**
 * Settings of daily jobs, wherever they stand: which of them a machine has makes no difference to an update. All other
 * settings in their files do: `Dpkg::Options` decides what becomes of changed configuration files, in any apt-get.
 */
const OF_DAILY_JOBS =
  /^(apt::periodic|unattended-upgrades?|apt::(neverautoremove|versionedkernelpackages|never-markauto-sections|move-autobit-sections|lastinstalledkernel|archives))(::| |$)/;

/** Files of which only that is known to matter which is none of daily jobs'. */
export const DAILY_JOB_FILES: readonly string[] = [
  '/etc/apt/apt.conf.d/01autoremove',
  '/etc/apt/apt.conf.d/01autoremove-kernels',
  '/etc/apt/apt.conf.d/10periodic',
  '/etc/apt/apt.conf.d/20auto-upgrades',
  '/etc/apt/apt.conf.d/50unattended-upgrades',
];

/** What such a file sets beside, a line a setting; empty where that is nothing. */
export function otherAptSettings(text: string): string {
  return settingsOf(text)
    .filter((setting) => !OF_DAILY_JOBS.test(setting))
    .join('\n');
}

/** apt.conf(5): strings, words and signs; what stands behind `//` or `#`, or between slashes and stars, is comment. */
const TOKEN = /"[^"\n]*"|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|#(?!clear|include)[^\n]*|[{};]|[^\s"{};]+|"/g;

/** Every setting with its full name in lower case, as `scope::name value`. */
function settingsOf(text: string): string[] {
  const scopes: string[] = [];
  const settings: string[] = [];
  let words: string[] = [];
  const end = (): void => {
    if (words.length > 0) {
      const [name, ...values] = words[0]!.startsWith('"') ? ['', ...words] : words;
      settings.push([[...scopes, name!.toLowerCase()].join('::'), ...values].join(' '));
    }
    words = [];
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (/^(\/\/|\/\*|#(?!clear|include))/.test(token)) continue;
    if (token === '{') {
      scopes.push(words.join(' ').toLowerCase());
      words = [];
    } else if (token === '}') {
      end();
      scopes.pop();
    } else if (token === ';') end();
    else words.push(token);
  }
  end();
  return settings;
}
