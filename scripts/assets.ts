/** Copies what tsc leaves behind into dist/: the editor side of the nodes, and the documents' browser bundle. */
import { chmod, cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

for (const entry of await readdir(path.join(root, 'nodes'), { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  await cp(path.join(root, 'nodes', entry.name), path.join(dist, 'nodes', entry.name), {
    recursive: true,
    filter: (source) => !source.endsWith('.ts'),
  });
}
await mkdir(path.join(dist, 'runtime/http/assets'), { recursive: true });
await cp(
  path.join(root, 'node_modules/redoc/bundles/redoc.standalone.js'),
  path.join(dist, 'runtime/http/assets/redoc.standalone.js'),
);
// Run as a program, it brings its own limits of memory.
await chmod(path.join(dist, 'runtime/cli.js'), 0o755);
