import * as ebsModule from '@aws-sdk/client-ebs';
import * as ec2Module from '@aws-sdk/client-ec2';
import * as ssmModule from '@aws-sdk/client-ssm';
import { ManualClock } from '../../../local/clock';
import { createEbs, EBS_SERVICE_OPTIONS } from '../../../local/ebs';
import { createEc2 } from '../../../local/ec2';
import { ImaginaryMachines, type RunOptions, type RunResult } from '../../../local/instances';
import { createSsm } from '../../../local/ssm';
import { EventLog, LocalEc2State, MemoryStorage, type CloudEvent, type Timings } from '../../../local/state';
import { createService, inProcessHandler, type WireResponse, type WireService } from '../../../local/wire';

/** An answer as it was on the wire, and as the SDK understood it. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Error code as the SDK names it. */
  readonly code?: string;
  readonly message?: string;
  /** The command's output; empty when it failed. */
  readonly output: Record<string, unknown>;
}

export type Script = (
  instanceId: string,
  script: string,
  options: RunOptions,
) => Promise<RunResult> | RunResult;

interface Client {
  send(command: object): Promise<Record<string, unknown>>;
}

/** EC2, EBS and SSM of the embedded cloud in this process: a clock moved by hand, disks in memory, imaginary machines. */
export class TestCloud {
  private readonly clients = new Map<string, Client>();
  /** Calls are made one at a time. */
  private onAnswer: (answer: WireResponse) => void = () => undefined;

  private constructor(
    readonly clock: ManualClock,
    readonly state: LocalEc2State,
    readonly machines: ImaginaryMachines,
    readonly events: CloudEvent[],
    private readonly services: Record<'ec2' | 'ebs' | 'ssm', WireService>,
    readonly settled: () => Promise<void>,
    /** Objects that Run Command stored, by bucket and key. */
    readonly written: ReadonlyMap<string, string>,
  ) {}

  static async open(options: { timings?: Partial<Timings>; script?: Script } = {}): Promise<TestCloud> {
    const clock = new ManualClock();
    const events: CloudEvent[] = [];
    const log = new EventLog(clock, undefined, (event) => events.push(event));
    const state = await LocalEc2State.open({
      clock,
      events: log,
      storage: new MemoryStorage(),
      timings: options.timings,
    });
    const machines = new ImaginaryMachines(options.script);
    const ec2 = createEc2(state, machines);
    const written = new Map<string, string>();
    const ssm = await createSsm(state, {
      machines,
      putObject: async (bucket, key, body) => void written.set(`${bucket}/${key}`, body.toString()),
    });
    return new TestCloud(
      clock,
      state,
      machines,
      events,
      {
        ec2: createService(ec2Module, ec2.handlers),
        ebs: createService(ebsModule, createEbs(state), EBS_SERVICE_OPTIONS),
        ssm: createService(ssmModule, ssm.handlers),
      },
      () => ec2.lifecycle.settled(),
      written,
    );
  }

  ebs(operation: string, input: object): Promise<Answer> {
    return this.call('ebs', ebsModule, 'EBSClient', operation, input);
  }

  ec2(operation: string, input: object = {}): Promise<Answer> {
    return this.call('ec2', ec2Module, 'EC2Client', operation, input);
  }

  ssm(operation: string, input: object = {}): Promise<Answer> {
    return this.call('ssm', ssmModule, 'SSMClient', operation, input);
  }

  /** The output of a call that must succeed. */
  async must(
    service: 'ec2' | 'ebs' | 'ssm',
    operation: string,
    input: object = {},
  ): Promise<Record<string, unknown>> {
    const answer = await this[service](operation, input);
    if (answer.status >= 300) throw new Error(`${operation} was refused: ${answer.code} ${answer.message}`);
    return answer.output;
  }

  private async call(
    service: 'ec2' | 'ebs' | 'ssm',
    module: object,
    clientName: string,
    operation: string,
    input: object,
  ): Promise<Answer> {
    const classes = module as Record<string, new (config: object) => unknown>;
    const [ClientClass, CommandClass] = [classes[clientName], classes[`${operation}Command`]];
    if (!ClientClass || !CommandClass) throw new Error(`The SDK has no ${operation}.`);
    let raw: { status: number; headers: Record<string, string>; body: string } | undefined;
    const client = this.client(service, ClientClass);
    this.onAnswer = (answer) => {
      raw = { status: answer.status, headers: answer.headers, body: answer.body.toString() };
    };
    try {
      const output = await client.send(new CommandClass(input) as object);
      return { ...raw!, output };
    } catch (error) {
      if (!raw) throw error;
      const { name, message } = error as Error;
      return { ...raw, code: name, message, output: {} };
    }
  }
  private client(service: 'ec2' | 'ebs' | 'ssm', ClientClass: new (config: object) => unknown): Client {
    const known = this.clients.get(service);
    if (known) return known;
    const client = new ClientClass({
      endpoint: 'http://127.0.0.1',
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: inProcessHandler(async (request) => {
        const answer = await this.services[service](request);
        this.onAnswer(answer);
        return answer;
      }),
    }) as Client;
    this.clients.set(service, client);
    return client;
  }
}
