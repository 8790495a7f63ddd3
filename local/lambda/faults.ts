/** Kills the worker of one invocation: what happens to a function when its sandbox is lost. */
export interface KillPlan {
  readonly functionName: string;
  /** Which call from now on, counted from 1. */
  readonly call: number;
  /** Milliseconds after the handler was called. */
  readonly afterMilliseconds: number;
}

/** Faults that tests and demonstrations ask for. */
export class LambdaFaults {
  private plans: { plan: KillPlan; callsToGo: number }[] = [];

  kill(plan: KillPlan): void {
    this.plans.push({ plan, callsToGo: plan.call });
  }

  /** Counts a call; milliseconds until it has to die, when it has to. */
  countCall(functionName: string): number | undefined {
    const concerned = this.plans.filter(({ plan }) => plan.functionName === functionName);
    for (const entry of concerned) entry.callsToGo--;
    const due = concerned.find(({ callsToGo }) => callsToGo === 0);
    if (!due) return undefined;
    this.plans = this.plans.filter((entry) => entry !== due);
    return due.plan.afterMilliseconds;
  }
}
