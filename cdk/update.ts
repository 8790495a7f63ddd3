import { Duration } from 'aws-cdk-lib';
import type { Update as UpdateDocument } from '../core/workflow/updates-document';

/** What every kind of update takes. */
export interface UpdateOptions {
  /**
   * What the update is for, in words for the report.
   *
   * @default - none
   */
  readonly description?: string;
  /**
   * How long the commands may take on the representative, reboots not counted. At most 48 hours.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** What to do on the representative of a class; whatever it changes there is brought to the other members. */
export class Update {
  /** The machine's own package manager brings in the pending security updates, all updates, or these packages. */
  static packages(select: 'security' | 'all' | readonly string[], options: UpdateOptions = {}): Update {
    return new Update(
      { kind: 'packages', select: typeof select === 'string' ? select : [...select] },
      options,
    );
  }

  /** Shell commands, run as root. */
  static script(commands: readonly string[], options: UpdateOptions = {}): Update {
    return new Update({ kind: 'script', commands: [...commands] }, options);
  }

  /**
   * A document of Systems Manager: AWS's own, one of this account, or by its ARN a shared one. What it does is told by the
   * snapshots before and after alone.
   */
  static document(
    name: string,
    {
      version,
      parameters,
      ...options
    }: UpdateOptions & {
      /** A number, `$LATEST`, or `$DEFAULT` when left out. */ readonly version?: string;
      readonly parameters?: Readonly<Record<string, string[]>>;
    } = {},
  ): Update {
    const document = {
      name,
      ...(version === undefined ? {} : { version }),
      ...(parameters === undefined ? {} : { parameters: { ...parameters } }),
    };
    return new Update({ kind: 'document', document }, options);
  }

  /** Shell commands that look at a machine and report rules (`rule_check`); the result goes to SSM Compliance. */
  static compliance(
    commands: readonly string[],
    {
      complianceType,
      ...options
    }: UpdateOptions & { /** In SSM; `Custom:ImageElves`. */ readonly complianceType?: string } = {},
  ): Update {
    return new Update(
      {
        kind: 'compliance',
        commands: [...commands],
        ...(complianceType === undefined ? {} : { complianceType }),
      },
      options,
    );
  }

  /** An update as it stands in JSON, its name apart. */
  static fromDocument({ name: _name, description, timeoutSeconds, ...work }: UpdateDocument): Update {
    return new Update(work, {
      ...(description === undefined ? {} : { description }),
      ...(timeoutSeconds === undefined ? {} : { timeout: Duration.seconds(timeoutSeconds) }),
    });
  }

  private constructor(
    private readonly work: DistributiveOmit<UpdateDocument, 'name' | 'description' | 'timeoutSeconds'>,
    private readonly options: UpdateOptions,
  ) {}

  /** The update as plan-run reads it. */
  toDocument(name: string): UpdateDocument {
    const { description, timeout } = this.options;
    return {
      name,
      ...this.work,
      ...(description === undefined ? {} : { description }),
      ...(timeout === undefined ? {} : { timeoutSeconds: timeout.toSeconds() }),
    };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
