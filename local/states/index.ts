import * as sdk from '@aws-sdk/client-sfn';
import { createService, type WireService } from '../wire';
import { executionOperations } from './api/execution-operations';
import { mapRunOperations } from './api/map-run-operations';
import { stateMachineOperations } from './api/state-machine-operations';
import type { Engine } from './executions/engine';

export { Engine, type EngineOptions } from './executions/engine';
export { DefinitionError } from './definition/definition-error';
export { StatesError } from './states-error';

/** The Step Functions API over an engine. */
export const createStatesService = (engine: Engine): WireService =>
  createService(sdk, {
    ...stateMachineOperations(engine),
    ...executionOperations(engine),
    ...mapRunOperations(engine),
  });
