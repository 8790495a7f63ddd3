import {
  type ComplianceItemEntry,
  PutComplianceItemsCommand,
  type PutComplianceItemsCommandInput,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import type { ComplianceResult } from '../../core/compliance/compliance-result';
import { hasCode } from '../service-errors';

/** A check's result for one instance, and how it was come by. */
export interface ComplianceRecord {
  readonly instanceId: string;
  /** `Custom:...`; what stands under it for this instance is replaced. */
  readonly complianceType: string;
  readonly run: string;
  readonly update: string;
  /** When the check was run, on which machine, and whether that is this one. */
  readonly checkedAt: Date;
  readonly checkedOn: string;
  readonly result: ComplianceResult;
}

/**
 * Puts a result into SSM Compliance. It is known for every instance that has ever been a managed node, also while it is
 * stopped; for any other it answers InvalidResourceId, and the result stands in the run's report alone.
 *
 * Without a content hash: with one, a result that is the same as before would keep its old time.
 */
export async function putCompliance(
  ssm: SSMClient,
  record: ComplianceRecord,
): Promise<'recorded' | 'not-managed'> {
  try {
    await ssm.send(new PutComplianceItemsCommand(complianceItems(record)));
    return 'recorded';
  } catch (error) {
    if (hasCode(error, 'InvalidResourceId')) return 'not-managed';
    throw error;
  }
}

function complianceItems(record: ComplianceRecord): PutComplianceItemsCommandInput {
  const { instanceId, complianceType, run, update, checkedAt, checkedOn, result } = record;
  return {
    ResourceId: instanceId,
    ResourceType: 'ManagedInstance',
    ComplianceType: complianceType,
    ExecutionSummary: { ExecutionTime: checkedAt, ExecutionId: run, ExecutionType: 'ImageElves' },
    Items: result.rules.map(({ rule, status, title, severity, evidence }): ComplianceItemEntry => ({
      Id: rule,
      Title: title,
      Severity: severity,
      Status: status === 'pass' ? 'COMPLIANT' : 'NON_COMPLIANT',
      Details: { Check: update, CheckedOn: checkedOn, Evidence: evidence },
    })),
  };
}
