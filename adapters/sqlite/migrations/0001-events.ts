/** `time` in milliseconds since the epoch, `data` as JSON. No further index: each would be one more page to write. */
export const EVENTS = `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    cause TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT
`;
