import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import express, { type Handler, type Request, type Response } from 'express';
import helmet from 'helmet';
import { PACKAGE_ROOT, VERSION } from '../../adapters/files/package-root.ts';
import { SkullError } from '../../core/model/errors.ts';
import { REDOC_PAGE, REDOC_START, swaggerOptions, swaggerPage } from './pages.ts';

const BUNDLE = 'runtime/http/assets/redoc.standalone.js.gz';

/** Put there by the build; from the sources it is served as the build left it in `dist/`. */
const bundle = [path.join(import.meta.dirname, '../..', BUNDLE), path.join(PACKAGE_ROOT, 'dist', BUNDLE)].find(
  existsSync,
);

/** Both viewers write styles into the page, ReDoc searches in a worker; everything comes from here. */
const hardening = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      workerSrc: ['blob:'],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // The orchestrator is reached by plain HTTP in a home network.
  strictTransportSecurity: false,
});

const pack = promisify<Uint8Array | string, Buffer>(gzip);
const unpack = promisify<Uint8Array, Buffer>(gunzip);

/** Answers with what is kept packed; who cannot unpack it gets it unpacked. */
async function sendPacked(req: Request, res: Response, packed: Buffer): Promise<void> {
  res.setHeader('Vary', 'Accept-Encoding');
  res.setHeader('ETag', `W/"${createHash('sha256').update(packed).digest('base64url')}"`);
  if (req.fresh) {
    res.statusCode = 304;
    res.end();
    return;
  }
  const isTaken = req.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (isTaken) res.setHeader('Content-Encoding', 'gzip');
  res.end(isTaken ? packed : await unpack(packed));
}

/** A document that is made when somebody first asks for it. Packed it is a tenth of its size. */
function document(make: () => Promise<object>): Handler {
  let packed: Promise<Buffer> | undefined;
  return (req, res, next) => {
    packed ??= make().then((made) => pack(JSON.stringify(made)));
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Cache-Control', 'no-cache');
    packed.then((bytes) => sendPacked(req, res, bytes)).catch(next);
  };
}

async function sendRedoc(req: Request, res: Response): Promise<void> {
  if (bundle === undefined) throw new SkullError('unavailable', 'ReDoc is not here: run the build.');
  res.type('js').setHeader('Cache-Control', 'max-age=3600');
  await sendPacked(req, res, await readFile(bundle));
}

/** What else lies beside Swagger UI's files: a page that shows somebody else's API, and what the package says of itself. */
const NOT_OURS = /\/(index\.html|swagger-initializer\.js|package\.json)$/;

/** Swagger UI, loaded when somebody first opens it. */
function swagger(): Handler {
  let loaded: Promise<Handler> | undefined;
  const load = async () => {
    const { default: swaggerUi } = await import('swagger-ui-express');
    const router = express.Router({ caseSensitive: true });
    const page = swaggerPage(swaggerUi.generateHTML(undefined, swaggerOptions));
    router.get(NOT_OURS, (_req, _res, next) => next('router'));
    router.get('/docs', (_req, res) => void res.type('html').end(page));
    return router.use('/docs', swaggerUi.serveFiles(undefined, swaggerOptions));
  };
  return (req, res, next) => {
    loaded ??= load();
    loaded.then((serve) => serve(req, res, next), next);
  };
}

const text =
  (type: string, content: string): Handler =>
  (_req, res) =>
    void res.type(type).end(content);

/** `/openapi.json` and `/asyncapi.json`, and two pages that show the first: `/docs` (Swagger UI) and `/redoc`. */
export function createDocuments(): Handler {
  const router = express.Router({ caseSensitive: true });
  router.use(hardening);
  router.get(
    '/openapi.json',
    document(async () => (await import('./openapi.ts')).openApiDocument(VERSION)),
  );
  router.get(
    '/asyncapi.json',
    document(async () => (await import('./asyncapi.ts')).asyncApiDocument(VERSION)),
  );
  router.get('/redoc', text('html', REDOC_PAGE));
  router.get('/redoc/start.js', text('js', REDOC_START));
  router.get('/redoc/redoc.standalone.js', (req, res, next) => void sendRedoc(req, res).catch(next));
  router.use(swagger());
  return router;
}
