import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Plugin } from 'esbuild'
import { cacheDir } from '#services/place.ts'
import { heapFlags } from './isolation.ts'

const require = createRequire(import.meta.url)
const here = import.meta.dirname

/**
 * The folder a host sees as its program: `host.cjs`, a snapshot of its heap with ioredis and kafkajs in it, which starts
 * in half the time, and the packages under which learner code finds the two. Built once and kept in the cache; returns
 * its path. Without a snapshot (Node may refuse to make one) hosts run the program itself.
 */
export async function hostImage(): Promise<string> {
  const folder = path.join(cacheDir(), `host-${fingerprint()}`)
  if (!fs.existsSync(folder)) await build(folder)
  return folder
}

function fingerprint(): string {
  const hash = createHash('sha256')
  const sources = ['image.ts', 'isolation.ts', 'codec.ts', 'frames.ts', '../write-together.ts', '../wire/kafkajs-quiet.ts', ...fs.readdirSync(path.join(here, 'host')).sort().map((name) => `host/${name}`)]
  for (const file of sources) hash.update(fs.readFileSync(path.join(here, file)))
  for (const name of ['ioredis', 'kafkajs']) hash.update((require(`${name}/package.json`) as { version: string }).version)
  return hash.update(process.version).update(process.arch).digest('hex').slice(0, 16)
}

async function build(folder: string): Promise<void> {
  const { build } = await import('esbuild')
  const draft = fs.mkdtempSync(`${folder}-`)
  await build({
    entryPoints: [path.join(here, 'host/main.ts')], outfile: path.join(draft, 'host.cjs'),
    bundle: true, platform: 'node', format: 'cjs', target: 'node24', minifySyntax: true, minifyWhitespace: true, logLevel: 'silent',
    plugins: [lateBuiltins],
  })
  for (const name of ['ioredis', 'kafkajs']) {
    const place = path.join(draft, 'node_modules', name)
    fs.mkdirSync(place, { recursive: true })
    fs.writeFileSync(path.join(place, 'index.mjs'), facade(name))
    fs.writeFileSync(path.join(place, 'package.json'), JSON.stringify({ name, type: 'module', exports: './index.mjs' }))
  }
  // Mount points for the sandbox, which sees this folder read-only.
  for (const name of ['submission', 'wires']) fs.mkdirSync(path.join(draft, name))
  // Everything is compiled now, once, and comes with the snapshot: a host would compile hundreds of functions again. Not
  // `withoutCodeCache` (https://nodejs.org/api/cli.html#--build-snapshot-config): that drops what is compiled as well.
  await promisify(execFile)(process.execPath, [...heapFlags, '--no-lazy', '--no-warnings', '--snapshot-blob', 'host.blob', '--build-snapshot', 'host.cjs'], { cwd: draft })
    .catch(() => fs.rmSync(path.join(draft, 'host.blob'), { force: true }))
  try {
    fs.renameSync(draft, folder)
  } catch {
    // Somebody else built it meanwhile.
    fs.rmSync(draft, { recursive: true, force: true })
  }
}

/** An ES module with the package's own names, whatever way the learner imports it, on the host's copy of the package. */
function facade(name: string): string {
  const names = Object.keys(require(name) as object).filter((key) => /^[A-Za-z_]\w*$/.test(key) && key !== 'default')
  return [
    `const whole = globalThis[Symbol.for('redis-kafka-kit/${name}')]`,
    `export const { ${names.join(', ')} } = whole`,
    'export default whole',
  ].join('\n')
}

/** Parts of Node that cannot be in a snapshot, and that the clients only need for connections that no wire has. */
const lateBuiltins: Plugin = {
  name: 'late-builtins',
  setup(build) {
    build.onResolve({ filter: /^(node:)?(tls|tty)$/ }, ({ path: name }) => ({ path: name.replace('node:', ''), namespace: 'late' }))
    build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path: name }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, key) => process.getBuiltinModule('${name}')[key] })`,
    }))
  },
}
