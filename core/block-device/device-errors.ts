import { ImageElvesError } from '../errors';

/** Bytes beyond the end of a device were asked for. On a filesystem from a stranger it means a pointer out of range. */
export class DeviceRangeError extends ImageElvesError {
  override readonly name = 'DeviceRangeError';

  constructor(offsetBytes: number, lengthBytes: number, sizeBytes: number) {
    super(
      `bytes ${offsetBytes} to ${offsetBytes + lengthBytes} are not within the device of ${sizeBytes} bytes`,
      { offsetBytes, lengthBytes, sizeBytes },
      'The filesystem on the device is damaged or larger than the device: check it with its fsck.',
    );
  }
}

/** A write went to a device that can only be read. */
export class ReadOnlyDeviceError extends ImageElvesError {
  override readonly name = 'ReadOnlyDeviceError';

  constructor() {
    super('the device can only be read', {}, 'Put an OverlayBlockDevice over it to write.');
  }
}

/** @throws DeviceRangeError unless the range is made of safe whole numbers and lies within the device. */
export function assertWithin(offsetBytes: number, lengthBytes: number, sizeBytes: number): void {
  if (
    !Number.isSafeInteger(offsetBytes) ||
    !Number.isSafeInteger(lengthBytes) ||
    offsetBytes < 0 ||
    lengthBytes < 0 ||
    offsetBytes + lengthBytes > sizeBytes
  ) {
    throw new DeviceRangeError(offsetBytes, lengthBytes, sizeBytes);
  }
}
