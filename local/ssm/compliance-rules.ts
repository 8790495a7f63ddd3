import type { ComplianceItemEntry, PutComplianceItemsCommandInput } from '@aws-sdk/client-ssm';
import { constraint, refusal } from './ssm-errors';

const COMPLIANCE_TYPE = /^([A-Za-z0-9_-]\w+|Custom:[a-zA-Z0-9_-]\w+)$/;
const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNSPECIFIED'];
const STATUSES = ['COMPLIANT', 'NON_COMPLIANT'];
const MAX_ITEMS = 10_000;
const MAX_TITLE = 500;
const MAX_DETAIL_NAME = 64;
const MAX_DETAIL = 4096;
/** Documented without its number; that of an inventory item is 1 MiB. */
const MAX_CONTENT_BYTES = 1024 * 1024;

/**
 * Refuses what PutComplianceItems refuses, by the members' limits (API_PutComplianceItems, API_ComplianceItemEntry).
 * @throws AwsError
 */
export function checkComplianceItems(
  input: PutComplianceItemsCommandInput,
  isKnown: (instanceId: string) => boolean,
): void {
  const { ResourceId = '', ResourceType = '', ComplianceType = '', Items, ExecutionSummary } = input;
  if (ComplianceType.length > 100)
    throw constraint('complianceType', ComplianceType, 'have length less than or equal to 100');
  if (!COMPLIANCE_TYPE.test(ComplianceType))
    throw constraint(
      'complianceType',
      ComplianceType,
      `satisfy regular expression pattern: ${COMPLIANCE_TYPE.source}`,
    );
  if (ExecutionSummary?.ExecutionTime === undefined)
    throw constraint('executionSummary.executionTime', 'null', 'not be null');
  if (Items === undefined) throw constraint('items', 'null', 'not be null');
  if (Items.length > MAX_ITEMS)
    throw constraint('items', '[...]', `have length less than or equal to ${MAX_ITEMS}`);
  for (const [index, item] of Items.entries()) checkItem(item, `items.${index + 1}.member`);
  if (ResourceType !== 'ManagedInstance')
    throw refusal('InvalidResourceType', "The resource type isn't valid.");
  if (!isKnown(ResourceId))
    throw refusal(
      'InvalidResourceId',
      "The resource ID isn't valid. Verify that you entered the correct ID and try again.",
    );
  if (Buffer.byteLength(JSON.stringify(Items)) > MAX_CONTENT_BYTES)
    throw refusal('ItemSizeLimitExceededException', 'The inventory item size has exceeded the size limit.');
}

function checkItem({ Severity, Status, Title, Details }: ComplianceItemEntry, member: string): void {
  if (Severity === undefined || !SEVERITIES.includes(Severity))
    throw constraint(
      `${member}.severity`,
      Severity ?? 'null',
      `satisfy enum value set: [${SEVERITIES.join(', ')}]`,
    );
  if (Status === undefined || !STATUSES.includes(Status))
    throw constraint(
      `${member}.status`,
      Status ?? 'null',
      `satisfy enum value set: [${STATUSES.join(', ')}]`,
    );
  if ((Title ?? '').length > MAX_TITLE)
    throw constraint(`${member}.title`, Title ?? '', `have length less than or equal to ${MAX_TITLE}`);
  for (const [name, value] of Object.entries(Details ?? {})) {
    if (name.length < 1 || name.length > MAX_DETAIL_NAME)
      throw constraint(
        `${member}.details`,
        name,
        `satisfy constraint: [Member must have length less than or equal to ${MAX_DETAIL_NAME}]`,
      );
    if (value.length > MAX_DETAIL)
      throw constraint(
        `${member}.details.${name}.member`,
        value,
        `have length less than or equal to ${MAX_DETAIL}`,
      );
  }
}
