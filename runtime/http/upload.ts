import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import querystring from 'node:querystring';
import { Transform } from 'node:stream';
import type { Request, Response } from 'express';
import type { Options } from 'multer';
import { asStorageError } from '../../adapters/files/storage-full.ts';
import { codeOf } from '../../adapters/files/write-whole.ts';
import { INCOMING } from '../../adapters/songs/library.ts';
import { SkullError } from '../../core/model/errors.ts';
import { parse } from '../../core/model/schema.ts';
import type { Operation } from '../../core/skull/operations/operation.ts';
import { pathOf } from '../../core/skull/operations/pass.ts';

export const MULTIPART = 'multipart/form-data';
export const MAX_FILE_BYTES = 50 * 2 ** 20;
/** What a form needs around its file. */
const FORM_BYTES = 64 * 1024;
/**
 * No form is read faster. At the 100 MB/s of a loopback the buffers of an upload made the garbage collector stop the
 * process so often that the slowest emergency stop in a hundred took seven times as long; wireless networks are no faster.
 */
const BYTES_PER_MS = 8000;
/** A sender who is silent for so long is given up. */
const SILENCE_MS = 30_000;

const FIELD = 'file';
const LIMITS: Options['limits'] = {
  fileSize: MAX_FILE_BYTES,
  files: 1,
  fields: 4,
  fieldSize: 1024,
  fieldNameSize: 100,
};

/** As the flows read it. */
const queryOf = ({ url = '' }: IncomingMessage) => querystring.parse(url.slice(pathOf(url).length + 1));
const tooLarge = () => new SkullError('too_large', `The file is larger than 50 MB (${MAX_FILE_BYTES} bytes).`);
const malformed = (why: string, cause?: unknown) =>
  new SkullError('malformed', `The form cannot be read: ${why}.`, { cause });
const brokenOff = () => malformed('the connection was closed');
const invalid = (field: string, message: string) =>
  new SkullError('invalid', `The form is invalid: ${field} ${message}. Send one file as field ${FIELD}.`, {
    issues: [{ path: `/${field}`, message }],
  });

/** What multer, and busboy below it, make of a form that they do not take. */
function asFormError(error: unknown): unknown {
  const storage = asStorageError(error);
  if (storage instanceof SkullError || !(error instanceof Error)) return storage;
  const code = codeOf(error);
  if (code === 'LIMIT_FILE_SIZE') return tooLarge();
  if (code === 'LIMIT_FILE_COUNT') return invalid(FIELD, 'is not the only file');
  if (code === 'LIMIT_UNEXPECTED_FILE') {
    const field = 'field' in error ? String(error.field) : FIELD;
    return invalid(field, field === FIELD ? 'is there more than once' : 'is not a known field');
  }
  // Errors of busboy have no code; those that have one and are not multer's are the system's.
  return code === undefined || error.name === 'MulterError' ? malformed(error.message.toLowerCase(), error) : error;
}

/** The body as a stream that ends with an error where it is too large, stands still, or breaks off. */
function watched(req: IncomingMessage, silenceMs: number): Transform {
  let bytes = 0;
  let due = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > MAX_FILE_BYTES + FORM_BYTES) return done(tooLarge());
      const now = performance.now();
      due = Math.max(due, now) + chunk.length / BYTES_PER_MS;
      setTimeout(done, due - now, null, chunk);
    },
  });
  const givenUp = () => body.destroy(malformed(`nothing more of it came for ${silenceMs / 1000} s`));
  const closed = () => {
    if (!req.complete) body.destroy(brokenOff());
  };
  req.setTimeout(silenceMs, givenUp);
  req.once('close', closed);
  body.once('close', () => {
    req.setTimeout(0);
    req.off('close', closed);
  });
  return req.pipe(body);
}

/**
 * Takes forms with a file to disk, piece by piece, into a folder of its own below `home`. Where it succeeds the request's
 * body is `{file: {path, filename, size}}`; nothing of the file is left once the request has been answered.
 */
export function createUpload(home: string, { silenceMs = SILENCE_MS } = {}) {
  const folder = path.join(home, 'songs', INCOMING);
  let prepared: Promise<typeof import('multer')> | undefined;

  /** Loads what is needed, and removes what uploads left that a power cut ended. */
  async function prepare() {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const { default: multer } = await import('multer');
    return multer;
  }

  async function take(req: IncomingMessage, res: ServerResponse, file: string) {
    prepared ??= prepare().catch((error) => {
      prepared = undefined;
      throw error;
    });
    const multer = await prepared;
    if (req.destroyed) throw brokenOff();
    const body = watched(req, silenceMs);
    const storage = multer.diskStorage({
      destination: (_req, { stream }, done) => {
        stream.once('limit', () => body.destroy(tooLarge()));
        done(null, folder);
      },
      filename: (_req, _file, done) => done(null, path.basename(file)),
    });
    // The name is checked as it was sent: with its path, and as UTF-8.
    const read = multer({ storage, limits: LIMITS, preservePath: true, defParamCharset: 'utf8' }).single(FIELD);
    // All that is used of a request: its headers and its bytes.
    const form = Object.assign(body, { headers: req.headers }) as unknown as Request;
    await new Promise<void>((resolve, reject) => {
      read(form, res as Response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
    const [unknown] = Object.keys(form.body);
    if (unknown === FIELD) throw invalid(FIELD, 'is a text, not a file');
    if (unknown !== undefined) throw invalid(unknown, 'is not a known field');
    if (form.file === undefined) throw invalid(FIELD, 'is missing');
    return { path: file, filename: form.file.originalname, size: form.file.size };
  }

  return (req: IncomingMessage, res: ServerResponse, { query }: Operation, next: (error?: unknown) => void): void => {
    if (Number(req.headers['content-length']) > MAX_FILE_BYTES + FORM_BYTES) throw tooLarge();
    // What the operation would refuse anyway is refused before the file is sent.
    if (query !== undefined) parse(query, { ...queryOf(req) }, { what: 'The query', coerce: true });
    const file = path.join(folder, `${randomUUID()}.mp3`);
    // What cannot be removed is, when the next process takes its first upload.
    const remove = () => rm(file, { force: true }).catch(() => {});
    take(req, res, file).then(
      (taken) => {
        Object.assign(req, { body: { [FIELD]: taken }, _body: true });
        res.once('close', () => void remove());
        next();
      },
      async (error: unknown) => {
        await remove();
        next(asFormError(error));
      },
    );
  };
}
