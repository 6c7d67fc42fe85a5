/** Copies what tsc leaves behind into dist/: the editor side of the nodes, and the documents' browser bundle. */
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

for (const entry of await readdir(path.join(root, 'nodes'), { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  await cp(path.join(root, 'nodes', entry.name), path.join(dist, 'nodes', entry.name), {
    recursive: true,
    filter: (source) => !source.endsWith('.ts'),
  });
}
/** ReDoc's only picture comes from a server elsewhere: an empty one takes its place. */
const LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const NO_LOGO = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
const redoc = await readFile(path.join(root, 'node_modules/redoc/bundles/redoc.standalone.js'), 'utf8');
await mkdir(path.join(dist, 'runtime/http/assets'), { recursive: true });
await writeFile(
  path.join(dist, 'runtime/http/assets/redoc.standalone.js.gz'),
  gzipSync(redoc.replaceAll(LOGO, NO_LOGO), { level: 9 }),
);
// Run as a program, it brings its own limits of memory.
await chmod(path.join(dist, 'runtime/cli.js'), 0o755);
