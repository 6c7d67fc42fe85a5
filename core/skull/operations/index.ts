import { AI_OPERATIONS } from './ai.ts';
import { CONFIG_OPERATIONS, sectionAt } from './config.ts';
import { EVENT_OPERATIONS } from './events.ts';
import { FULLAUTO_OPERATIONS } from './fullauto.ts';
import { LIBRARY_OPERATIONS } from './library.ts';
import type { Operation } from './operation.ts';
import { SAY_OPERATIONS } from './say.ts';
import { SERVICE_OPERATIONS } from './service.ts';
import { SERVICES_OPERATIONS } from './services.ts';
import { SERVO_OPERATIONS } from './servos.ts';
import { SKULL_OPERATIONS } from './skull.ts';
import { SONG_OPERATIONS } from './songs.ts';
import { TASK_OPERATIONS } from './tasks.ts';

/**
 * Everything that can be asked over HTTP, and the only place where it is written down: flows, OpenAPI, checks of requests
 * and the guard's roles follow it.
 */
export const OPERATIONS: readonly Operation[] = [
  ...SERVICE_OPERATIONS,
  ...SKULL_OPERATIONS,
  ...SAY_OPERATIONS,
  ...CONFIG_OPERATIONS,
  ...SERVICES_OPERATIONS,
  ...SERVO_OPERATIONS,
  ...SONG_OPERATIONS,
  ...LIBRARY_OPERATIONS,
  ...TASK_OPERATIONS,
  ...AI_OPERATIONS,
  ...sectionAt('/fullauto/config', 'fullauto', 'FullAuto', 'FullautoConfig', { interval_song_ms: 600_000 }),
  ...FULLAUTO_OPERATIONS,
  ...EVENT_OPERATIONS,
];

const byId = new Map(OPERATIONS.map((operation) => [operation.id, operation]));

export const operationOf = (id: string): Operation | undefined => byId.get(id);
