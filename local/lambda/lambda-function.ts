/** One function as its template describes it, with every value resolved. */
export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  /** The folder that would be zipped. */
  readonly codeFolder: string;
  /** `file.export` */
  readonly handler: string;
  readonly runtime: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly description?: string;
}

/** What a handler threw, or what the runtime says in its place. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** The environment that Lambda itself gives a function (developer guide, "Environment variables"). */
export function reservedEnvironment({ name, memoryMegabytes, handler, runtime, codeFolder }: LambdaFunction) {
  return {
    _HANDLER: handler,
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    LAMBDA_TASK_ROOT: codeFolder,
    TZ: 'UTC',
    LANG: 'en_US.UTF-8',
  };
}
