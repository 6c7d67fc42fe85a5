import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import express, { type Handler } from 'express';
import helmet from 'helmet';
import swaggerUi from 'swagger-ui-express';
import { PACKAGE_ROOT, VERSION } from '../../adapters/files/package-root.ts';
import { SkullError } from '../../core/model/errors.ts';
import { openApiDocument } from './openapi.ts';
import { REDOC_PAGE, REDOC_START, SWAGGER_CSS } from './pages.ts';

const BUNDLE = 'runtime/http/assets/redoc.standalone.js';
const TITLE = 'Skull Orchestrator API';

/** Copied there by the build; from the sources it is served as the build left it in `dist/`. */
const bundle = [path.join(import.meta.dirname, '../..', BUNDLE), path.join(PACKAGE_ROOT, 'dist', BUNDLE)].find(
  existsSync,
);

/** ReDoc's only picture comes from a server elsewhere: an empty one takes its place. */
const LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const NO_LOGO = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';

async function readBundle(): Promise<string> {
  if (bundle === undefined) throw new SkullError('unavailable', 'ReDoc is not here: run the build.');
  return (await readFile(bundle, 'utf8')).replaceAll(LOGO, NO_LOGO);
}

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

/** `/openapi.json`, and the two pages that show it: `/docs` (Swagger UI) and `/redoc`. */
export function createDocuments(): Handler {
  const text = JSON.stringify(openApiDocument(VERSION));
  const router = express.Router({ caseSensitive: true });
  router.use(hardening);
  router.get('/openapi.json', (_req, res) => {
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Cache-Control', 'no-cache');
    res.end(text);
  });

  const options = {
    swaggerUrl: '/openapi.json',
    customSiteTitle: TITLE,
    customCss: SWAGGER_CSS,
    swaggerOptions: {
      validatorUrl: null,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      persistAuthorization: true,
    },
  };
  // Its page refers to what is beside it, as `./swagger-ui.css`: at /docs that would be beside /docs itself.
  const page = swaggerUi.generateHTML(undefined, options).replaceAll('="./', '="/docs/');
  router.get('/docs', (_req, res) => void res.type('html').end(page));
  router.use('/docs', swaggerUi.serveFiles(undefined, options));

  const script =
    (source: string): Handler =>
    (_req, res) =>
      void res.type('js').end(source);
  router.get('/redoc', (_req, res) => void res.type('html').end(REDOC_PAGE));
  router.get('/redoc/start.js', script(REDOC_START));
  router.get('/redoc/redoc.standalone.js', (_req, res, next) => {
    readBundle().then((source) => void res.type('js').setHeader('Cache-Control', 'max-age=3600').end(source), next);
  });
  return router;
}
