import pLimit from 'p-limit';
import { countRules } from '../../core/compliance/compliance-result';
import type {
  ClassDocument,
  ComplianceDocument,
  MachineComplianceDocument,
  MatchDocument,
  PlanDocument,
} from '../../core/workflow/documents';
import {
  classKey,
  complianceKey,
  complianceKeyBeside,
  machineComplianceKey,
  matchKey,
  planKey,
} from '../../core/workflow/keys';
import type { MemberItem, RecordComplianceInput, RecordComplianceOutput } from '../../core/workflow/payloads';
import type { Services } from '../services';
import { putCompliance } from '../ssm/compliance';

/** Calls at once: Systems Manager takes a few a second, and the SDK waits when it is told to. */
const CONCURRENT_CALLS = 4;

/**
 * Records what a check found for the representative, when it is a machine of the fleet, and for every member that matched:
 * there the check would have read the same. Each call goes on where the one before it ended.
 */
export async function recordCompliance(
  services: Services,
  { run, classId }: RecordComplianceInput,
  hasTime: () => boolean,
): Promise<RecordComplianceOutput> {
  const { documents } = services;
  const [{ settings }, document] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<ClassDocument>(classKey(run, classId)),
  ]);
  const { recorded } = document;
  const key =
    recorded === undefined ? complianceKey(run, classId) : complianceKeyBeside(recorded.manifestKey);
  const found = await documents.read<ComplianceDocument>(key);
  // For the report of this run, which may outlive the documents of that one.
  if (recorded !== undefined) await documents.write(complianceKey(run, classId), found);
  const limit = pLimit(CONCURRENT_CALLS);
  const told = await Promise.all(
    (await instancesOf(services, document)).map((instanceId) =>
      limit(async () => {
        const known = await documents.find(machineComplianceKey(run, instanceId));
        if (known !== undefined) return true;
        if (!hasTime()) return false;
        await recordFor(instanceId);
        return true;
      }),
    ),
  );
  return { done: told.every(Boolean), recordedCount: told.filter(Boolean).length };

  async function recordFor(instanceId: string): Promise<void> {
    const { checkedOn, checkedAt, complianceType, result } = found;
    const status = await putCompliance(services.ssm, {
      instanceId,
      complianceType,
      run,
      update: settings.update.name,
      checkedAt: new Date(checkedAt),
      checkedOn,
      result,
    });
    const written: MachineComplianceDocument = {
      instanceId,
      classId,
      checkedOn,
      checkedAt,
      status,
      ...countRules(result),
    };
    await documents.write(machineComplianceKey(run, instanceId), written);
  }
}

async function instancesOf(
  { documents }: Services,
  { run, classId, membersKey, representative }: ClassDocument,
): Promise<string[]> {
  const members = await documents.readLines<MemberItem>(membersKey);
  const matches = await Promise.all(
    members.map(({ instanceId }) => documents.find<MatchDocument>(matchKey(run, instanceId, classId))),
  );
  const matched = matches.flatMap((match) => (match?.matched === true ? [match.instanceId] : []));
  return representative.kind === 'live' ? [representative.instanceId, ...matched] : matched;
}
