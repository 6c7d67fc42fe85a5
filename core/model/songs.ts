/** A song, as lists tell of it. */
export interface SongInfo {
  /** Its file name without `.mp3`; unique. */
  name: string;
  /** From its tags; its name where they have none. */
  title: string;
  artist: string | null;
  /** Null while it is not known: the file was put there by hand and has not been read yet, or cannot be read. */
  duration_ms: number | null;
  /** In bytes. */
  size: number;
}

export interface Song extends SongInfo {
  /** Where the file is, for whoever plays it. */
  path: string;
}

/** How loud a song is, as a jaw shows it. */
export interface Envelope {
  /** Length of a frame in milliseconds. */
  frameMs: number;
  /** One value a frame: 0 closed (silence) … 255 wide open. */
  frames: Uint8Array;
}

/** A file that somebody sent, on its way into the library. */
export interface IncomingSong {
  /** Where it lies now; the library takes it away from there, whatever becomes of it. */
  path: string;
  /** What the sender called it; nothing of it is trusted. */
  filename: string;
}

/** The songs in a folder: MP3 files, and beside each what was found out about it. */
export interface SongLibrary {
  /** By name. */
  list(): Promise<SongInfo[]>;
  /** By name, with or without `.mp3`; nothing but a song of the folder is ever found. Reads a file's duration where it is not known yet. */
  find(name: string): Promise<Song | undefined>;
  /**
   * Checks a file and takes it in. Rejects with a SkullError: `unsupported_media_type` (no MP3, or a truncated one),
   * `not_allowed` (a name that is no safe file name), `conflict` (a song of that name is there and `replace` is false),
   * `storage_full`. The envelope is computed afterwards.
   */
  add(incoming: IncomingSong, options: { replace: boolean }): Promise<SongInfo>;
  /** Removes a song and what lies beside it. False where there is none. */
  remove(name: string): Promise<boolean>;
  /** Computed first where it is not there yet, outside of this process's event loop; undefined where the song cannot be decoded. */
  envelope(name: string): Promise<Envelope | undefined>;
  /** Ends what is being computed. */
  close(): Promise<void>;
}
