import { Type } from './type.ts';

/** A moment as we write it: in UTC with `Z`, or as `X-Timezone` asks. */
export const timestamp = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-01T12:00:00.000Z'] });
