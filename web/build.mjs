// Bundles the page into dist/: index.html and files whose names carry the hash of their
// content, so they may be cached for ever.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);
const dist = new URL('dist/', here);
const sources = ['app.js', 'style.css', 'icon.svg'];
const hashLength = 12;

const { outputFiles } = await build({
  entryPoints: sources.map((name) => fileURLToPath(new URL(`src/${name}`, here))),
  outdir: fileURLToPath(dist),
  bundle: true,
  format: 'esm',
  target: ['es2022'],
  minify: true,
  loader: { '.svg': 'copy' },
  legalComments: 'none',
  write: false,
});

await rm(dist, { recursive: true, force: true });
await mkdir(dist);

let page = await readFile(new URL('src/index.html', here), 'utf8');
for (const { path, contents } of outputFiles) {
  const suffix = extname(path);
  const source = sources.find((name) => name.endsWith(suffix));
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, hashLength);
  const name = `app-${hash}${suffix}`;
  if (!page.includes(`"/${source}"`)) throw new Error(`index.html does not name ${source}`);
  page = page.replace(`"/${source}"`, `"/${name}"`);
  await writeFile(new URL(name, dist), contents);
  console.log(`dist/${name} ${(contents.length / 1024).toFixed(1)} kB`);
}
await writeFile(new URL('index.html', dist), page);
