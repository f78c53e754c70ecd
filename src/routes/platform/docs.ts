import { html } from 'hono/html';

/** Where the Worker serves the files of the reference from, see wrangler.toml. */
const FILES = '/docs';

/** Nothing but this Worker's own files may be loaded. The reference sets styles on its elements. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/** The page that renders the OpenAPI document, with files that the Worker serves itself. */
export const docsPage = () => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Gatehouse API</title>
    <link rel="icon" href="${FILES}/favicon-32x32.png">
    <link rel="stylesheet" href="${FILES}/swagger-ui.css">
  </head>
  <body>
    <div id="reference"></div>
    <script src="${FILES}/swagger-ui-bundle.js"></script>
    <script src="${FILES}/reference.js"></script>
  </body>
</html>`;
