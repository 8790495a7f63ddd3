import { type Static, Type } from '@sinclair/typebox';
import { CommandDocument } from './document-update';

/** Names that a person types at the console: letters, digits, dots, dashes and underscores. */
export const UPDATE_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

/** What a Debian or RPM package may be called; nothing a shell could read as more than a word. */
const PACKAGE_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9+._:~-]{0,127}$';

const common = {
  name: Type.String({ pattern: UPDATE_NAME_PATTERN }),
  description: Type.Optional(Type.String({ maxLength: 500 })),
  /** How long the commands may take on the representative, reboots not counted; AWS-RunShellScript allows 48 hours. */
  timeoutSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 172_800 })),
};

const commands = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });

export const PackagesUpdate = Type.Object(
  {
    ...common,
    kind: Type.Literal('packages'),
    /** The pending security updates, all pending updates, or these packages where they are installed. */
    select: Type.Union([
      Type.Literal('security'),
      Type.Literal('all'),
      Type.Array(Type.String({ pattern: PACKAGE_NAME_PATTERN }), { minItems: 1 }),
    ]),
  },
  { additionalProperties: false },
);
export type PackagesUpdate = Static<typeof PackagesUpdate>;

export const ScriptUpdate = Type.Object(
  { ...common, kind: Type.Literal('script'), commands },
  { additionalProperties: false },
);
export type ScriptUpdate = Static<typeof ScriptUpdate>;

/** A script that stands in Systems Manager. It is run as it is, without the recorder: the snapshots tell what it changed. */
export const DocumentUpdate = Type.Object(
  { ...common, kind: Type.Literal('document'), document: CommandDocument },
  { additionalProperties: false },
);
export type DocumentUpdate = Static<typeof DocumentUpdate>;

/** What `PutComplianceItems` allows for a type of one's own; at most ten such types in an account. */
const COMPLIANCE_TYPE_PATTERN = '^Custom:[A-Za-z0-9_-]\\w+$';
export const DEFAULT_COMPLIANCE_TYPE = 'Custom:ImageElves';

/**
 * Commands that look at a machine and report rules (core/compliance); they change nothing. The result holds for every
 * machine on which they would read the same. What mends a machine is a script.
 */
export const ComplianceUpdate = Type.Object(
  {
    ...common,
    kind: Type.Literal('compliance'),
    commands,
    /** Under which the results stand in SSM Compliance: those of another check of the same type are replaced. */
    complianceType: Type.Optional(Type.String({ pattern: COMPLIANCE_TYPE_PATTERN, maxLength: 100 })),
  },
  { additionalProperties: false },
);
export type ComplianceUpdate = Static<typeof ComplianceUpdate>;

/** What to do: the one thing that is run on a representative and captured for everyone else. */
export const Update = Type.Union([PackagesUpdate, ScriptUpdate, DocumentUpdate, ComplianceUpdate]);
export type Update = Static<typeof Update>;
/** One that is run by commands of ours, and so with the recorder around them. */
export type CommandsUpdate = Exclude<Update, DocumentUpdate>;

/** One hour, the default of AWS-RunShellScript. */
export const DEFAULT_UPDATE_TIMEOUT_SECONDS = 3600;
