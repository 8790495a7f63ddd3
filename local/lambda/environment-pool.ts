import { ExecutionEnvironment } from './execution-environment';
import type { LambdaFunction } from './lambda-function';

/** Idle environments kept over all functions: each holds a loaded bundle and what its last invocation left to be collected. */
const MOST_IDLE = 6;

/** Warm environments by function. Which ones are busy, the invocations themselves know. */
export class EnvironmentPool {
  private idle: { lambda: LambdaFunction; environment: ExecutionEnvironment }[] = [];

  constructor(private readonly variables: () => Readonly<Record<string, string>>) {}

  /** A warm environment of this very version of the function, or a new one. */
  take(lambda: LambdaFunction): ExecutionEnvironment {
    const index = this.idle.findLastIndex((entry) => entry.lambda === lambda && !entry.environment.spent);
    const [warm] = index < 0 ? [] : this.idle.splice(index, 1);
    return warm?.environment ?? new ExecutionEnvironment(lambda, this.variables());
  }

  async giveBack(lambda: LambdaFunction, environment: ExecutionEnvironment): Promise<void> {
    if (environment.spent) return environment.end();
    this.idle.push({ lambda, environment });
    if (this.idle.length > MOST_IDLE) await this.idle.shift()?.environment.end();
  }

  /** Ends the idle environments, of one function or of all. */
  async drop(lambda?: LambdaFunction): Promise<void> {
    const dropped = this.idle.filter((entry) => lambda === undefined || entry.lambda === lambda);
    this.idle = this.idle.filter((entry) => !dropped.includes(entry));
    await Promise.all(dropped.map(({ environment }) => environment.end()));
  }
}
