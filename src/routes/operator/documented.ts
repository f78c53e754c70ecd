import { commonWire } from '../../middleware/problems.ts';
import { createDescriber } from '../openapi.ts';

const describeInGroup = createDescriber('operator', commonWire, ['not_found', 'unauthenticated']);

/** Documents a route of this surface: all of them are the operator's alone. */
export const describe = (operation: Omit<Parameters<typeof describeInGroup>[0], 'security'>) =>
  describeInGroup({ ...operation, security: ['operator'] });
