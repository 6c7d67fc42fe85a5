import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import { SkullError } from '../../core/model/errors.ts';
import { BODY_BYTES, type Operation } from '../../core/skull/operations/operation.ts';
import { parseJson } from './json.ts';
import { hasBody } from './server.ts';
import { createUpload, MULTIPART } from './upload.ts';

/** So long may a body of JSON take to come; forms with files have limits of their own. */
const BODY_MS = 10_000;
const JSON_TYPES: readonly string[] = ['application/json'];
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

type Parsed = IncomingMessage & { body?: unknown };

/** Puts the value of the bytes in their place, undefined where there are none. Returns what is wrong. */
function parseBody(req: Parsed): unknown {
  const bytes = req.body;
  req.body = undefined;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return undefined;
  try {
    req.body = parseJson(bytes);
  } catch (error) {
    return error;
  }
  if (req.body !== null) return undefined;
  // To an operation `null` would be no body at all, which may mean something.
  const issues = [{ path: '', message: 'is null' }];
  return new SkullError('invalid', 'The body is invalid: it is null.', { issues });
}

const tooLarge = (limit: number) => new SkullError('too_large', `The body is larger than ${limit} bytes.`);

/**
 * Reads the body of a request as its operation wants it, and no more than that. `next` gets what is wrong, once; what can
 * be said beforehand is thrown: `unsupported_media_type`, `too_large`.
 */
export function createBodyReader(home: string, { bodyMs = BODY_MS } = {}) {
  const upload = createUpload(home);
  const parsers = new Map<number, ReturnType<typeof express.raw>>();

  function parserFor(limit: number) {
    const parser = parsers.get(limit) ?? express.raw({ limit, type: () => true });
    parsers.set(limit, parser);
    return parser;
  }

  function readJson(req: Parsed, res: ServerResponse, limit: number, next: (error?: unknown) => void): void {
    let settled = false;
    const settle = (error?: unknown) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      next(error);
    };
    const late = () =>
      settle(new SkullError('request_timeout', `The body did not come to its end within ${bodyMs / 1000} s.`));
    const timer = setTimeout(late, bodyMs);
    parserFor(limit)(req, res, (error) => settle(error ?? parseBody(req)));
  }

  return (req: IncomingMessage, res: ServerResponse, operation: Operation, next: (error?: unknown) => void): void => {
    if (!hasBody(req)) {
      // Tells the parsers of `http in` that there is nothing to read.
      Object.assign(req, { body: undefined, _body: true });
      next();
      return;
    }
    const types = operation.body?.types ?? JSON_TYPES;
    const type = req.headers['content-type'] ?? '';
    const mediaType = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
    if (!types.includes(mediaType)) {
      throw new SkullError('unsupported_media_type', `Send ${types.join(' or ')}, not ${mediaType || 'nothing'}.`);
    }
    if (mediaType === MULTIPART) {
      upload(req, res, operation, next);
      return;
    }
    const charset = CHARSET.exec(type)?.[1] ?? 'utf-8';
    if (!/^utf-?8$/i.test(charset)) throw new SkullError('unsupported_media_type', `Send UTF-8, not ${charset}.`);
    const limit = operation.body?.maxBytes ?? BODY_BYTES;
    if (Number(req.headers['content-length']) > limit) throw tooLarge(limit);
    readJson(req, res, limit, next);
  };
}
