import type { SSMClient } from '@aws-sdk/client-ssm';

export interface SentCommand {
  readonly instanceId: string;
  readonly commands: readonly string[];
  readonly comment: string;
  /** Of any other than AWS-RunShellScript. */
  readonly document?: {
    readonly name: string;
    readonly version?: string;
    readonly parameters: Readonly<Record<string, readonly string[]>>;
  };
}

/** What an invocation answers, one after the other; the last one stays. */
export interface Answer {
  readonly Status?: string;
  readonly StatusDetails?: string;
  readonly ResponseCode?: number;
  readonly StandardOutputContent?: string;
  readonly StandardErrorContent?: string;
  readonly CommandPlugins?: readonly { readonly ResponseCode: number; readonly Output: string }[];
  /** Thrown instead. */
  readonly error?: string;
}

/** Systems Manager as far as the adapters call it, answering what a test has set. */
export class FakeRunCommand {
  readonly sent: SentCommand[] = [];
  readonly online = new Set<string>();
  /** Instances that never were managed nodes. */
  readonly unmanaged = new Set<string>();
  /** What was put into Compliance, in order. */
  readonly complianceOf: Record<string, unknown>[] = [];
  /** Commands are carried out, but their sender never learns of it. */
  losesAnswers = false;
  /** Runs when a command is sent. */
  onSend: (command: SentCommand) => Promise<void> | void = () => undefined;
  answers: Answer[] = [{ Status: 'Success', StatusDetails: 'Success', ResponseCode: 0 }];

  client(): SSMClient {
    const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) =>
      this.answer(command.constructor.name, command.input);
    // Paginators ask for an instance of the real client; only `send` is ever called on it.
    const { SSMClient: Client } =
      jest.requireActual<typeof import('@aws-sdk/client-ssm')>('@aws-sdk/client-ssm');
    return Object.assign(new Client({ region: 'eu-west-1' }), { send }) as unknown as SSMClient;
  }

  private async answer(name: string, input: Record<string, unknown>): Promise<unknown> {
    switch (name) {
      case 'SendCommandCommand': {
        const [instanceId] = input['InstanceIds'] as string[];
        const { commands = [], ...parameters } = input['Parameters'] as Record<string, string[]>;
        const [name, version] = [
          String(input['DocumentName']),
          input['DocumentVersion'] as string | undefined,
        ];
        this.sent.push({
          instanceId: instanceId!,
          commands,
          comment: String(input['Comment']),
          ...(name !== 'AWS-RunShellScript' && { document: { name, version, parameters } }),
        });
        await this.onSend(this.sent.at(-1)!);
        if (this.losesAnswers) throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
        return { Command: { CommandId: `command-${this.sent.length}` } };
      }
      case 'ListCommandsCommand':
        return {
          Commands: this.sent
            .map(({ instanceId, comment }, at) => ({
              instanceId,
              Comment: comment,
              CommandId: `command-${at + 1}`,
            }))
            .filter(({ instanceId }) => instanceId === input['InstanceId']),
        };
      case 'GetCommandInvocationCommand': {
        const [answer] = this.answers.length > 1 ? this.answers.splice(0, 1) : this.answers;
        if (answer?.error !== undefined) throw Object.assign(new Error(answer.error), { name: answer.error });
        return answer;
      }
      case 'ListCommandInvocationsCommand': {
        const [answer] = this.answers.length > 1 ? this.answers.splice(0, 1) : this.answers;
        return { CommandInvocations: answer === undefined ? [] : [answer] };
      }
      case 'DescribeInstanceInformationCommand':
        return {
          InstanceInformationList: [...this.online].map((InstanceId) => ({
            InstanceId,
            PingStatus: 'Online',
          })),
        };
      case 'PutComplianceItemsCommand':
        if (this.unmanaged.has(String(input['ResourceId']))) {
          throw Object.assign(new Error('no such node'), { name: 'InvalidResourceId' });
        }
        this.complianceOf.push(input);
        return {};
      default:
        throw new Error(`the fake of Systems Manager has no ${name}`);
    }
  }
}
