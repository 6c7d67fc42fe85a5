export const SAMPLE: Record<string, unknown>;
export const SAMPLE_CONFIG: Record<string, unknown>;
