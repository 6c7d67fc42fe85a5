/** What the two viewers of the OpenAPI document are told of their looks; nothing is loaded from elsewhere. */

export const SWAGGER_CSS = '.swagger-ui .topbar { display: none } .swagger-ui .info { margin: 30px 0 }';

export const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Skull Orchestrator API</title>
<link rel="icon" href="data:,">
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
