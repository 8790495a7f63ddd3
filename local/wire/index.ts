export { AwsError, NoAnswer } from './aws-error';
export { FaultPlan, nested, type Fault } from './faults';
export { inProcessHandler } from './in-process';
export { routeByCredentialScope, serveWire, type ServeOptions, type WireServer } from './server';
export { createService, type ServiceOptions } from './service';
export type { AroundCall, Handler, HandlerContext, WireRequest, WireResponse, WireService } from './wire';
