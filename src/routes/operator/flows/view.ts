import type * as z from 'zod';
import type { Flow, FlowStep } from '../../../domain/flows.ts';
import { readProfile, viewProfileDefaults } from '../../profile-fields.ts';
import type { flowObject, flowProfile } from './schema.ts';

export const readSteps = ({ steps }: z.output<typeof flowProfile>): FlowStep[] =>
  steps.map((step) => (step.kind === 'set' ? { kind: step.kind, members: readProfile(step.members) } : step));

export const viewFlow = ({ name, steps }: Flow): z.output<typeof flowObject> => ({
  name,
  steps: steps.map((step) =>
    step.kind === 'set' ? { kind: step.kind, members: viewProfileDefaults(step.members) } : step,
  ),
});
