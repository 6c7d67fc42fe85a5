/** The six supervised services of a skull; the first level of their topics. */
export const SERVICES = ['motion', 'vision', 'voice', 'audioin', 'asr', 'ai'] as const;
export type ServiceName = (typeof SERVICES)[number];
