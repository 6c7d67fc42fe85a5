import { type ErrorCode, SkullError } from '../../core/model/errors.ts';
import type { Verb } from '../../core/model/service-manager.ts';
import { ORDER_MS } from './units.ts';

const DBUS = 'org.freedesktop.DBus.Error.';

/** By D-Bus error; what systemd itself answers otherwise is a conflict, and what is left is no answer at all. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  [`${DBUS}AccessDenied`]: 'forbidden',
  [`${DBUS}InteractiveAuthorizationRequired`]: 'forbidden',
  [`${DBUS}NoReply`]: 'timeout',
  [`${DBUS}Timeout`]: 'timeout',
  'org.freedesktop.systemd1.NoSuchUnit': 'not_found',
};

export const codeOf = (dbusName = ''): ErrorCode =>
  CODES[dbusName] ?? (dbusName.startsWith('org.freedesktop.systemd1.') ? 'conflict' : 'unavailable');

/** What a person may do about it. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  forbidden: 'install the polkit rule for our user',
  not_found: 'install the unit and run systemctl daemon-reload',
  conflict: 'journalctl -u tells why',
};

/** Why an order could not be carried out; `reason` is the manager's own words. */
export function refusal(code: ErrorCode, verb: Verb, unit: string, reason: string, cause?: unknown): SkullError {
  const advice = ADVICE[code];
  return new SkullError(code, `${unit} was not ${DONE[verb]}: ${reason}${advice ? ` (${advice})` : ''}`, { cause });
}

const DONE: Record<Verb, string> = { start: 'started', stop: 'stopped', restart: 'restarted' };

export const tooLate = (verb: Verb, unit: string): SkullError =>
  refusal('timeout', verb, unit, `the manager is not done with it after ${ORDER_MS / 1000} s`);

export const notConnected = (verb: Verb, unit: string): SkullError =>
  refusal('unavailable', verb, unit, 'there is no connection to the service manager');
