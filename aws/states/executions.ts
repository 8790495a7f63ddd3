import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { hasCode } from '../service-errors';

export interface ExecutionState {
  /** `RUNNING` and `PENDING_REDRIVE` go on; all others have ended. */
  readonly status: string;
  readonly endedAt: Date | undefined;
}

/** What became of executions of Step Functions. */
export class ExecutionReader {
  constructor(private readonly client: SFNClient) {}

  /** Undefined when Step Functions does not know it any more: it forgets an execution 90 days after its end. */
  async find(executionArn: string): Promise<ExecutionState | undefined> {
    try {
      const found = await this.client.send(new DescribeExecutionCommand({ executionArn }));
      return { status: found.status!, endedAt: found.stopDate };
    } catch (error) {
      if (hasCode(error, 'ExecutionDoesNotExist')) return undefined;
      throw error;
    }
  }
}
