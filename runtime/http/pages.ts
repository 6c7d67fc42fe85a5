/** What the two viewers of the OpenAPI document are told of their looks; nothing is loaded from elsewhere. */

const TITLE = 'Skull Orchestrator API';

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#b08d3e" d="M8 1a6 6 0 0 0-3.5 10.900V14h7v-2.100A6 6 0 0 0 8 1M5.5 6a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3m5 0a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3"/></svg>',
)}`;

/** No links between operations are documented: on a phone their empty column takes a third of the width. */
const SWAGGER_CSS = `
.swagger-ui .topbar, .swagger-ui .response-col_links { display: none }
.swagger-ui .info { margin: 30px 0 }
@media (max-width: 600px) {
  .swagger-ui .opblock-section-header .btn { padding: 5px 12px }
  .swagger-ui .opblock-body .responses-wrapper, .swagger-ui .opblock-body .responses-inner { padding: 10px 5px }
  .swagger-ui .parameters-col_name, .swagger-ui .response-col_status { min-width: 4.5em; width: 4.5em; overflow-wrap: anywhere }
}
`;

export const swaggerOptions = {
  swaggerUrl: '/openapi.json',
  customSiteTitle: TITLE,
  customfavIcon: ICON,
  customCss: SWAGGER_CSS,
  swaggerOptions: {
    validatorUrl: null,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    persistAuthorization: true,
  },
};

/** A phone shows a page without it as a desktop would, and small. */
const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">';

/** Its page refers to what is beside it, as `./swagger-ui.css`: at /docs that would be beside /docs itself. */
export const swaggerPage = (html: string): string =>
  html.replaceAll('="./', '="/docs/').replace('<head>', `<head>\n  ${VIEWPORT}`);

export const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${VIEWPORT}
<title>${TITLE}</title>
<link rel="icon" href="${ICON}">
<style>body { margin: 0; background: #fff } noscript { font-family: system-ui, sans-serif }</style>
</head>
<body>
<div id="redoc"></div>
<noscript>This page needs JavaScript; <a href="/openapi.json">the document itself</a> does not.</noscript>
<script src="/redoc/redoc.standalone.js"></script>
<script src="/redoc/start.js"></script>
</body>
</html>
`;

const REDOC_OPTIONS = {
  expandResponses: '200',
  requiredPropsFirst: true,
  hideDownloadButton: false,
  theme: {
    spacing: { sectionVertical: 24 },
    typography: {
      fontFamily: 'system-ui, sans-serif',
      headings: { fontFamily: 'system-ui, sans-serif' },
      code: { fontFamily: 'ui-monospace, monospace' },
    },
    sidebar: { backgroundColor: '#f6f3ec' },
    colors: { primary: { main: '#7a5c1e' } },
  },
};

export const REDOC_START = `Redoc.init('/openapi.json', ${JSON.stringify(REDOC_OPTIONS)}, document.getElementById('redoc'));\n`;
