import { SkullError } from '../model/errors.ts';
import { VERBS, type Verb } from '../model/service-manager.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';

/** Lets only the six services pass, whatever the types promised. Throws a SkullError `not_found` for any other name. */
export function knownService(name: string): ServiceName {
  const service = SERVICES.find((one) => one === name);
  if (service !== undefined) return service;
  throw new SkullError('not_found', `There is no service ${JSON.stringify(name)}: there are ${SERVICES.join(', ')}.`);
}

/** Lets only the three verbs pass. Throws a SkullError `not_allowed` for any other. */
export function knownVerb(name: string): Verb {
  const verb = VERBS.find((one) => one === name);
  if (verb !== undefined) return verb;
  throw new SkullError('not_allowed', `${JSON.stringify(name)} cannot be asked: only ${VERBS.join(', ')} can.`);
}
