import { isBlockDevice } from '../block-device/block-window';
import {
  type BlockDevice,
  type Piece,
  SNAPSHOT_BLOCK_BYTES,
  writePieces,
} from '../block-device/block-device';
import { ReadOnlyDeviceError } from '../block-device/device-errors';
import { OverlayBlockDevice } from '../block-device/overlay-block-device';
import { ImageElvesError } from '../errors';
import { checkBtrfs } from '../filesystem/btrfs/superblock';
import {
  RecoveryNeededError,
  UnsupportedFeatureError,
  UnsupportedFilesystemError,
} from '../filesystem/errors';
import { openExt4Writable } from '../filesystem/ext4/write/open-ext4-writable';
import type { FilesystemReader, FilesystemWriter } from '../filesystem/filesystem';
import type { KernelReading, LinuxKernel } from '../filesystem/linux-kernel';
import { hasReader, openFilesystem } from '../filesystem/open-filesystem';
import { FilesystemNotCleanError, RefusedFilesystemError } from '../filesystem/write-errors';
import type { FilesystemOpener } from './assemble-image';
import { placeOf, type VolumeFilesystem } from './volume-filesystem';

export interface OpenImageOptions {
  /** Memory for blocks, of each filesystem. */
  readonly cacheBytes?: number;
  /** Reads what only the kernel reads, and replays what only the kernel replays. Without it such images are refused. */
  readonly kernel?: LinuxKernel;
}

/** Opens the filesystems of one image for reading. Nothing is written to their devices. */
export class ReadFilesystems implements FilesystemOpener<{ filesystem: FilesystemReader }> {
  protected readonly looks = new Map<VolumeFilesystem, FilesystemReader | ImageElvesError>();
  /** What the kernel replayed, over the device that it stands on. */
  protected readonly recovered = new Map<VolumeFilesystem, OverlayBlockDevice>();
  private readonly readings: KernelReading[] = [];

  constructor(protected readonly options: OpenImageOptions) {}

  refuse(source: VolumeFilesystem): ImageElvesError | undefined {
    if (source.refusal !== undefined) return source.refusal;
    if (hasReader(source.kind) || (source.kind === 'btrfs' && this.options.kernel)) return undefined;
    return new UnsupportedFilesystemError(source.kind, placeOf(source));
  }

  async look(sources: readonly VolumeFilesystem[]): Promise<(FilesystemReader | ImageElvesError)[]> {
    const fresh = [...new Set(sources)].filter((source) => !this.looks.has(source));
    await this.tryOpening(fresh);
    const { kernel } = this.options;
    const dirty = fresh.filter((source) => this.looks.get(source) instanceof RecoveryNeededError);
    if (kernel !== undefined && dirty.length > 0) {
      const replayed = await this.recover(kernel, dirty);
      await this.tryOpening(replayed);
    }
    const forKernel = fresh.filter((source) => source.kind === 'btrfs' && !this.looks.has(source));
    if (kernel !== undefined && forKernel.length > 0) await this.readByKernel(kernel, forKernel);
    return sources.map(
      (source) => this.looks.get(source) ?? new UnsupportedFilesystemError(source.kind, placeOf(source)),
    );
  }

  /** @throws what stands in the way of reading it */
  protected async reader(source: VolumeFilesystem): Promise<FilesystemReader> {
    const [look] = await this.look([source]);
    if (look instanceof ImageElvesError) throw look;
    return look!;
  }

  async open(source: VolumeFilesystem): Promise<{ filesystem: FilesystemReader }> {
    return { filesystem: await this.reader(source) };
  }

  /** Ends what the kernel reads. May be called twice. */
  async close(): Promise<void> {
    await Promise.all(this.readings.splice(0).map((reading) => reading.close()));
  }

  /** Leaves out what the kernel is to read and is in order. */
  private async tryOpening(sources: readonly VolumeFilesystem[]): Promise<void> {
    await Promise.all(
      sources.map(async (source) => {
        const device = this.recovered.get(source) ?? source.device;
        const refusal = this.refuse(source);
        if (refusal !== undefined) {
          this.looks.set(source, refusal);
          return;
        }
        const look = await orError(async () =>
          source.kind === 'btrfs'
            ? await checkBtrfs(device)
            : await openFilesystem(source.kind, device, this.options),
        );
        if (look === undefined) this.looks.delete(source);
        else this.looks.set(source, look);
      }),
    );
  }

  /** All in one go; one by one when that fails, so that each has its own error. */
  private async recover(
    kernel: LinuxKernel,
    sources: readonly VolumeFilesystem[],
  ): Promise<VolumeFilesystem[]> {
    const { cacheBytes } = this.options;
    const overlays = sources.map(
      ({ device }) => new OverlayBlockDevice(device, { baseCacheBytes: cacheBytes }),
    );
    const failure = await orError(() =>
      kernel.recover(sources.map(({ kind }, index) => ({ kind, device: overlays[index]! }))),
    );
    if (failure === undefined) {
      for (const [index, source] of sources.entries()) this.recovered.set(source, overlays[index]!);
      return [...sources];
    }
    if (sources.length === 1) {
      this.looks.set(sources[0]!, failure);
      return [];
    }
    const recovered: VolumeFilesystem[] = [];
    for (const source of sources) recovered.push(...(await this.recover(kernel, [source])));
    return recovered;
  }

  private async readByKernel(kernel: LinuxKernel, sources: readonly VolumeFilesystem[]): Promise<void> {
    const reading = await orError(() =>
      kernel.read(
        sources.map((source) => ({ kind: source.kind, device: this.recovered.get(source) ?? source.device })),
      ),
    );
    if (reading instanceof ImageElvesError) {
      for (const source of sources) this.looks.set(source, reading);
      return;
    }
    this.readings.push(reading);
    for (const [index, source] of sources.entries()) this.looks.set(source, reading.filesystems[index]!);
  }
}

/** A filesystem as it can be changed: by its writer, or, where our own code does not write it, by the kernel alone. */
export interface OpenedForWriting {
  readonly filesystem: FilesystemReader;
  readonly writer?: FilesystemWriter;
  /** Why there is no writer. */
  readonly refusal?: ImageElvesError;
  readonly device: BlockDevice;
}

/** Opens the filesystems of one image for changes. What the last mount left undone is done in the device. */
export class WritableFilesystems extends ReadFilesystems implements FilesystemOpener<OpenedForWriting> {
  private readonly opened = new Map<VolumeFilesystem, OpenedForWriting>();

  override async open(source: VolumeFilesystem): Promise<OpenedForWriting> {
    const known = this.opened.get(source) ?? (await this.openNew(source));
    this.opened.set(source, known);
    return known;
  }

  private async openNew(source: VolumeFilesystem): Promise<OpenedForWriting> {
    const { device } = source;
    if (!isBlockDevice(device)) throw new ReadOnlyDeviceError();
    const refusal = this.refuse(source);
    if (refusal !== undefined) throw refusal;
    await this.keepRecovery(source, device);
    if (source.kind !== 'ext4') return this.withoutWriter(source, device, refusalOf(source.kind));
    try {
      const writer = await this.openWriter(source, device);
      // The writer reads through a cache of its own: that of the look is not needed any more.
      this.looks.delete(source);
      return { filesystem: writer, writer, device };
    } catch (error) {
      const isRefusal =
        (error instanceof UnsupportedFeatureError && error.purpose === 'write') ||
        error instanceof RefusedFilesystemError ||
        error instanceof FilesystemNotCleanError;
      if (!isRefusal) throw error;
      return this.withoutWriter(source, device, error);
    }
  }

  private async openWriter(source: VolumeFilesystem, device: BlockDevice): Promise<FilesystemWriter> {
    const { cacheBytes } = this.options;
    const { offsetBytes } = source;
    try {
      return await openExt4Writable(device, { cacheBytes, areaShiftBytes: offsetBytes });
    } catch (error) {
      if (!(error instanceof RecoveryNeededError)) throw error;
      await this.reader(source);
      await this.keepRecovery(source, device);
      return openExt4Writable(device, { cacheBytes, areaShiftBytes: offsetBytes });
    }
  }

  private async withoutWriter(
    source: VolumeFilesystem,
    device: BlockDevice,
    refusal: ImageElvesError,
  ): Promise<OpenedForWriting> {
    const filesystem = await this.reader(source);
    await this.keepRecovery(source, device);
    return { filesystem, refusal, device };
  }

  /** What was replayed for a look becomes part of the image. */
  private async keepRecovery(source: VolumeFilesystem, device: BlockDevice): Promise<void> {
    const overlay = this.recovered.get(source);
    if (overlay === undefined) return;
    const pieces: Piece[] = [];
    for await (const { index, bytes } of overlay.changedBlocks()) {
      const offsetBytes = index * SNAPSHOT_BLOCK_BYTES;
      pieces.push({ offsetBytes, bytes: bytes.subarray(0, device.sizeBytes - offsetBytes) });
    }
    await writePieces(device, pieces);
    this.recovered.delete(source);
  }
}

function refusalOf(kind: string): ImageElvesError {
  return new UnsupportedFeatureError([kind], 'write');
}

/** @returns an error of ours as a value; all others are thrown */
async function orError<T>(action: () => Promise<T>): Promise<T | ImageElvesError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ImageElvesError) return error;
    throw error;
  }
}
