/** What a check found: one line for a person. */
export interface Finding {
  check: string;
  result: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What to do about it; with every result but `ok`. */
  remedy?: string;
}

/** The findings of one check, by its name. */
export function findings(check: string) {
  return {
    ok: (detail: string): Finding => ({ check, result: 'ok', detail }),
    warn: (detail: string, remedy: string): Finding => ({ check, result: 'warn', detail, remedy }),
    fail: (detail: string, remedy: string): Finding => ({ check, result: 'fail', detail, remedy }),
  };
}
