import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'
import { cacheDir } from '#services/place.ts'

const require = createRequire(import.meta.url)
const here = import.meta.dirname

/**
 * The folder a host sees as its program: `host.mjs`, and ioredis and kafkajs as one file each,
 * so that a host starts in tens of milliseconds. Built once and kept in the cache; returns its path.
 */
export async function hostImage(): Promise<string> {
  const folder = path.join(cacheDir(), `host-${fingerprint()}`)
  if (!fs.existsSync(folder)) await build(folder)
  return folder
}

function fingerprint(): string {
  const hash = createHash('sha256')
  const sources = ['image.ts', 'codec.ts', 'frames.ts', 'host/main.ts', 'host/clients.ts', 'host/surroundings.ts']
  for (const file of sources) hash.update(fs.readFileSync(path.join(here, file)))
  for (const name of ['ioredis', 'kafkajs']) hash.update((require(`${name}/package.json`) as { version: string }).version)
  return hash.update(process.version).digest('hex').slice(0, 16)
}

async function build(folder: string): Promise<void> {
  const { build } = await import('esbuild')
  const draft = fs.mkdtempSync(`${folder}-`)
  const shared = {
    bundle: true, platform: 'node', format: 'esm', target: 'node24', minifySyntax: true, minifyWhitespace: true, logLevel: 'silent',
    banner: { js: `import { createRequire as $r } from 'node:module'; const require = $r(import.meta.url);` },
  } as const
  await Promise.all([
    build({ ...shared, entryPoints: [path.join(here, 'host/main.ts')], outfile: path.join(draft, 'host.mjs'), external: ['ioredis', 'kafkajs'] }),
    ...['ioredis', 'kafkajs'].map((name) =>
      build({
        ...shared,
        stdin: { contents: facade(name), resolveDir: here, loader: 'js' },
        outfile: path.join(draft, 'node_modules', name, 'index.mjs'),
      })),
  ])
  for (const name of ['ioredis', 'kafkajs']) {
    const description = { name, type: 'module', exports: './index.mjs' }
    fs.writeFileSync(path.join(draft, 'node_modules', name, 'package.json'), JSON.stringify(description))
  }
  // Mount points for the sandbox, which sees this folder read-only.
  for (const name of ['submission', 'wires']) fs.mkdirSync(path.join(draft, name))
  try {
    fs.renameSync(draft, folder)
  } catch {
    // Somebody else built it meanwhile.
    fs.rmSync(draft, { recursive: true, force: true })
  }
}

/** One ES module with the package's own names, whatever way the learner imports it. */
function facade(name: string): string {
  const names = Object.keys(require(name) as object).filter((key) => /^[A-Za-z_]\w*$/.test(key) && key !== 'default')
  return [
    `import whole from '${name}'`,
    name === 'kafkajs' ? QUIET_QUEUE : '',
    `export const { ${names.join(', ')} } = whole`,
    'export default whole',
  ].join('\n')
}

/**
 * kafkajs looks at its request queue every millisecond, for ever, and on recent Node warns about negative timeouts
 * while doing so: with nothing pending there is nothing to look at.
 */
const QUIET_QUEUE = `
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
const check = RequestQueue.prototype.scheduleCheckPendingRequests
RequestQueue.prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0) check.call(this)
}`
