export type PackageSystem = 'dpkg' | 'rpm' | 'none';

/** What kind of operating system an image holds (os-release(5)). */
export interface OsIdentity {
  /** `debian`, `ubuntu`, `amzn`; `linux` when os-release has none, as its manual page says. */
  readonly id: string;
  /** `12`, `22.04`; empty for a rolling release. */
  readonly versionId: string;
  /** PRETTY_NAME, for people. */
  readonly name: string;
  /** The package system's own word where there is one (`amd64`, `arm64`), else that of the ELF machine in the same spelling. */
  readonly architecture: string;
  readonly packageSystem: PackageSystem;
}
