import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ImageElvesError } from '../../core/errors';
import { makeGuest, type MakeGuestOptions } from './make-guest';
import { makeState } from './make-state';
import { makeQemu } from './qemu/make-qemu';

const USAGE = `usage: npm run kernel-engine -- [--output FOLDER] [--qemu] [--cache FOLDER] [--mirror URL] [--allow-newer] [--update-lock] [--no-state]

Builds the guest of the kernel engine, a Linux kernel and its first filesystem, from pinned Debian packages.

  --output FOLDER   where guest/ is made (dist/kernel-engine)
  --qemu            also make qemu/ in it: QEMU with all that it needs, for a system that has none
  --cache FOLDER    where fetched packages are kept (cache/ of the output)
  --mirror URL      a Debian mirror that has debian/ and debian-security/ (http://deb.debian.org)
  --allow-newer     take the newest version of a package that the mirror has no more as it was pinned
  --update-lock     pin the newest packages, and record what they yield
  --no-state        do not start a machine to save its state, from which others start in a tenth of the time
`;

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      output: { type: 'string' },
      qemu: { type: 'boolean' },
      cache: { type: 'string' },
      mirror: { type: 'string' },
      'allow-newer': { type: 'boolean' },
      'update-lock': { type: 'boolean' },
      'no-state': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    console.log(USAGE);
    return;
  }
  const root = join(__dirname, '../..');
  const output = values.output ?? join(root, 'dist/kernel-engine');
  const options: MakeGuestOptions = {
    sources: join(__dirname, '..'),
    output,
    cache: values.cache,
    mirror: values.mirror,
    allowNewer: values['allow-newer'],
    updateLock: values['update-lock'],
    tell: (line) => console.log(`kernel-engine: ${line}`),
  };
  const { asRecorded, digests } = await makeGuest(options);
  console.log(
    `kernel-engine: ${join(output, 'guest')} is complete${asRecorded ? '' : ', of newer packages than recorded'}`,
  );
  for (const [name, digest] of Object.entries(digests)) console.log(`  ${digest}  ${name}`);
  if (values.qemu === true || values['update-lock'] === true) await makeQemu(options);
  if (values['no-state'] !== true) await makeState({ directory: output, tell: options.tell });
}

run().catch((error: unknown) => {
  const { message, nextStep } = error as ImageElvesError;
  console.error(`kernel-engine: ${message}${nextStep === undefined ? '' : ` ${nextStep}`}`);
  process.exitCode = 1;
});
