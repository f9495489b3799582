/**
 * The files of a folder that a relative import may stand for, the likeliest
 * first: as written, TypeScript's reading of `.js`, without extension, a folder.
 */
export function candidates(path: string): string[] {
  const asWritten = [path, path.replace(/\.(m?)js$/, '.$1ts')]
  const extended = ['.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'].map((end) => path + end)
  return [...asWritten, ...extended].filter((name) => /\.(m?[jt]s|json)$/.test(name))
}
