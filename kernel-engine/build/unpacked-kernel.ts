import { BuildError } from './build-error';
import { runProgram } from './run-program';

/** Offsets in the header of a bzImage (Linux, Documentation/arch/x86/boot.rst). */
const SETUP_SECTORS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR_BYTES = 512;
/** The payload ends with its uncompressed length. */
const TRAILER_BYTES = 4;
const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');

/**
 * The kernel without its wrapping, an ELF file that QEMU starts by its PVH entry: unpacking itself would take the emulated
 * machine a second.
 */
export async function unpackedKernel(bzImage: Buffer): Promise<Buffer> {
  const setupBytes = (1 + bzImage.readUInt8(SETUP_SECTORS)) * SECTOR_BYTES;
  const start = setupBytes + bzImage.readUInt32LE(PAYLOAD_OFFSET);
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(PAYLOAD_LENGTH) - TRAILER_BYTES);
  const kernel = await runProgram('zstd', ['--decompress', '--stdout'], {
    input: payload,
    nextStep: 'Install it: apt-get install zstd',
  });
  if (!kernel.subarray(0, ELF_MAGIC.length).equals(ELF_MAGIC)) {
    throw new BuildError('what is in the kernel image is not an ELF file');
  }
  return kernel;
}
