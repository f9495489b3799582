import { isBuiltin } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { build, type BuildFailure, type Message, type Plugin } from 'esbuild'
import type { Diagnostic } from '#scoring/outcome.ts'
import type { BundleResult } from './findings.ts'

/** Bundles `entry` of `folder` (absolute) into one module. A mistake in the code is a result, not an error. */
export async function bundle(folder: string, entry: string): Promise<BundleResult> {
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: folder,
      entryPoints: [entry],
      outfile: join(folder, 'bundle.mjs'),
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      charset: 'utf8',
      // A class that names itself would otherwise be called _Itself, and so would its errors.
      keepNames: true,
      legalComments: 'none',
      sourcemap: 'external',
      sourcesContent: false,
      tsconfigRaw: { compilerOptions: { useDefineForClassFields: true, strict: true } },
      plugins: [onlyOwnFolder(folder)],
      logLevel: 'silent',
    })
    const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text
    const exports = Object.values(metafile.outputs).flatMap((output) => (output.entryPoint ? output.exports : []))
    return { state: 'bundled', code: textOf('.mjs'), map: textOf('.map'), exports }
  } catch (failure) {
    if (!Array.isArray((failure as BuildFailure).errors)) throw failure
    return { state: 'broken', diagnostics: (failure as BuildFailure).errors.map((error) => diagnostic(error, entry)) }
  }
}

const allowed = 'node: built-ins, ioredis, kafkajs and files of the same folder'

/** Refuses every import but the learner's own neighbours, built-ins, and the two clients. */
function onlyOwnFolder(folder: string): Plugin {
  return {
    name: 'only-own-folder',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ kind, path, resolveDir }) => {
        if (kind === 'entry-point') return null
        if (/^\.{1,2}(\/|$)/.test(path)) {
          const inside = !relative(folder, resolve(resolveDir, path)).startsWith('..')
          return inside ? null : refused(`"${path}" is outside the folder of the submission`)
        }
        if (isBuiltin(path) || path === 'ioredis' || path === 'kafkajs') return { path, external: true }
        return refused(`"${path}" cannot be imported: only ${allowed}`)
      })
    },
  }
}

function refused(text: string) {
  return { errors: [{ text }] }
}

function diagnostic({ location, text }: Message, entry: string): Diagnostic {
  const source = location?.lineText ?? ''
  // esbuild counts bytes; people and editors count characters.
  const before = Buffer.from(source).subarray(0, location?.column ?? 0).toString()
  return {
    file: location?.file ?? entry,
    line: location?.line ?? 1,
    column: before.length + 1,
    code: 'syntax',
    message: text,
    source,
  }
}
