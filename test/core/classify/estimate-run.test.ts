import { type EstimatedClass, estimateRun } from '../../../core/classify/estimate-run';
import { addUsage, costOf } from '../../../core/classify/prices';

const representative = { instanceId: 'i-0', kind: 'live' as const };

function estimate(
  memberCount: number,
  kind: 'live' | 'clone' | 'recorded' = 'live',
  change: Partial<EstimatedClass> = {},
) {
  const members = Array.from({ length: memberCount }, (_, index) => `i-${index + 1}`);
  const classes = [{ members, representative: { ...representative, kind }, ...change }];
  const targets = ['i-0', ...members].map((instanceId) => ({
    instanceId,
    volumeBytes: 8 * 1024 ** 3,
    profileBlocks: 40,
    snapshotBlocks: 481,
  }));
  return estimateRun({ classes, targets, retainDays: 7 });
}

describe('estimateRun', () => {
  it('counts calls: a profile for every target, a capture for every class, a patch for every member', () => {
    const { usage, onlineUpdates, offlinePatches } = estimate(4);
    expect({ onlineUpdates, offlinePatches }).toEqual({ onlineUpdates: 1, offlinePatches: 4 });
    expect(usage.putSnapshotBlocks).toBe(4 * 83);
    expect(usage.getSnapshotBlocks).toBe(5 * 40 + 500 + 4 * (80 + 120 + 80));
    expect(usage.listSnapshotBlocksCalls).toBe(5 + 2 + 4 + 8);
    expect(usage.gp3GbMonths).toBeCloseTo((4 * 8 * 7) / 30);
  });

  it('its parts add up, and prices are those of the price list', () => {
    const { parts, usage, costUsd } = estimate(4);
    expect(addUsage(...parts.map((part) => part.usage))).toEqual(usage);
    expect(parts.reduce((sum, part) => sum + part.costUsd, 0)).toBeCloseTo(costUsd, 10);
    expect(
      costOf({ getSnapshotBlocks: 1000, putSnapshotBlocks: 1000, listSnapshotBlocksCalls: 1000 }),
    ).toBeCloseTo(0.0096, 10);
  });

  it('a witness is one more online update, and what an earlier run captured is none', () => {
    const witness = { instanceId: 'i-1', kind: 'clone' as const };
    expect(estimate(4, 'live', { witness })).toMatchObject({
      onlineUpdates: 2,
      usage: { getSnapshotBlocks: 5 * 40 + 2 * 500 + 4 * (80 + 120 + 80), cloneInstanceHours: 0.25 },
    });
    expect(estimate(4, 'recorded')).toMatchObject({
      onlineUpdates: 0,
      offlinePatches: 4,
      usage: { getSnapshotBlocks: 5 * 40 + 4 * (80 + 120 + 80), cloneInstanceHours: 0 },
    });
  });

  it('a clone costs its hours; no members cost nothing to patch', () => {
    expect(estimate(3, 'clone').usage.cloneInstanceHours).toBeGreaterThan(0);
    expect(estimate(0).parts.find(({ what }) => what === 'patch the members')!.costUsd).toBe(0);
  });
});
